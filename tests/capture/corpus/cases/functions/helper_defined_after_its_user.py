# title: the helper is defined in a later cell than the function that calls it
# expect: right
# check: [outer(3)]
# %%
def outer(x):
    return later(x) + OFFSET
# %%
def later(x):
    return x * 10
OFFSET = 7
# %%
bj.build("case", outer, sample=1)
