# title: a sample that is a range, a tuple of arrays and a dictionary view
# expect: either
# check: ["total([1, 2, 3])"]
# because: [values]
# %%
def total(values):
    return sum(values)
# %%
bj.build("case", total, sample={"values": range(3)})
