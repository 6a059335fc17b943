# title: lambdas of a comprehension that all see its last value
# expect: right
# check: [pick(4)]
# %%
functions = [lambda x: x * 10 + i for i in range(3)]
# %%
def pick(x):
    return [f(x) for f in functions]
# %%
bj.build("case", pick, sample=1)
