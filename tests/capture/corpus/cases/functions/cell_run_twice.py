# title: a cell that ran twice and counts how often
# expect: right
# check: [version(0)]
# order: [start, again, again, again]
# %% [start]
runs = 0
# %% [again]
runs += 1
def version(x):
    return runs
# %%
bj.build("case", version, sample=0)
