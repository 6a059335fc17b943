# title: a mutable default that grows with each call
# expect: refused
# because: [collect]
# kernel: changes
# %%
def collect(x, seen=[]):
    seen.append(x)
    return list(seen)
# %%
bj.build("case", collect, sample={"x": 1})
