# title: the old helper lives on as a default argument, the new one under the name
# expect: right
# check: [combine(3)]
# %%
def norm(x):
    return x + 1
# %%
def combine(x, old=norm):
    return {"old": old(x), "new": norm(x)}
# %%
def norm(x):
    return x - 1
# %%
bj.build("case", combine, sample={"x": 10})
