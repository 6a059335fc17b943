# title: a function that answers with its module's name
# expect: either
# check: ["where(3)"]
# because: [where]
# %%
def where(x):
    return f"{__name__} {x}"
# %%
bj.build("case", where, sample=1)
