# title: cells that ran from the bottom up
# expect: right
# check: [top(5)]
# order: [third, second, first]
# %% [first]
def top(x):
    return middle(x) + 1
# %% [second]
def middle(x):
    return bottom(x) * 2
# %% [third]
def bottom(x):
    return x - LIMIT
LIMIT = 3
# %%
bj.build("case", top, sample=1)
