# title: a global that shadows a builtin
# expect: right
# check: ["total([1, 2, 3])", "total([])"]
# %%
def sum(values):
    result = 1000
    for value in values:
        result += value
    return result
# %%
def total(values):
    return sum(values)
# %%
bj.build("case", total, sample=[5, 6])
