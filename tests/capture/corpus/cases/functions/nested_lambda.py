# title: a lambda that returns a lambda, over several lines
# expect: right
# check: [add3(4)]
# %%
adder = (lambda n:
    # adds n
    lambda x: x + n
)
add3 = adder(3)
# %%
bj.build("case", add3, sample=1)
