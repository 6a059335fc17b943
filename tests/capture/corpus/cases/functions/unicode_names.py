# title: names beyond ASCII
# expect: right
# check: ["größe(3)"]
# %%
π = 3.0
def маштаб(x): return x * π
# %%
def größe(länge):
    return маштаб(länge)
# %%
bj.build("case", größe, sample=1)
