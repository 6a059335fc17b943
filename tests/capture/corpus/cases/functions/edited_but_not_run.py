# title: the cell was edited and not run again; what ran counts
# expect: right
# check: [answer(1)]
# %% [a]
def answer(x):
    return x + 41
# %% [a] edited
def answer(x):
    return "this text was never run"
# %%
bj.build("case", answer, sample=0)
