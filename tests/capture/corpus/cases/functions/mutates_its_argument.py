# title: a function that changes its argument in place
# expect: right
# check: ["extend([1, 2])", "extend([])"]
# %%
def extend(items):
    items.append(len(items))
    return items
# %%
bj.build("case", extend, sample=[5])
