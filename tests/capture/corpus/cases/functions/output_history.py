# title: a function that uses Out and In of the notebook
# expect: refused
# because: [last, "cell [3]"]
# %%
40 + 2
# %%
def last(x):
    return Out[2] + x
# %%
bj.build("case", last, sample=1)
