# title: a lambda under a name
# expect: right
# check: [square(9)]
# %%
square = lambda x: x ** 2
# %%
bj.build("case", square, sample=3)
