# title: the defining cell is a %%time cell
# expect: right
# check: [triple(3)]
# %%
%%time
BASE = 3
def triple(x):
    return x * BASE
# %%
bj.build("case", triple, sample=1)
