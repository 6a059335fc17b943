# title: the cell of the helper was edited and run again; the last one that ran counts
# expect: right
# check: [use(1)]
# order: [helper1, use, helper2]
# %% [helper1]
def helper(x):
    return "old", x
# %% [use]
def use(x):
    return list(helper(x))
# %% [helper2]
def helper(x):
    return "new", x
# %%
bj.build("case", use, sample=1)
