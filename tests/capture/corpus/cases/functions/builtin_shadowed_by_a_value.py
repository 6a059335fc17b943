# title: the name max is a number in this notebook
# expect: right
# check: [clip(500), clip(3)]
# %%
max = 100
# %%
def clip(x):
    return x if x < max else max
# %%
bj.build("case", clip, sample=7)
