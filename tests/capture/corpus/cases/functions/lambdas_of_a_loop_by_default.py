# title: a lambda made in a loop, with the loop's value as default
# expect: right
# check: [pick(4)]
# %%
functions = []
for i in range(3):
    functions.append(lambda x, i=i: x * 10 + i)
# %%
def pick(x):
    return [f(x) for f in functions]
# %%
bj.build("case", pick, sample=1)
