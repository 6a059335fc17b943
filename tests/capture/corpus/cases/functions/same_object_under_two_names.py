# title: one list under two names, and the function asks whether they are one
# expect: right
# check: ["same(3)"]
# %%
left = right = [[1], [2]]
inner = left[0]
def same(x):
    return [left is right, inner is right[0], x]
# %%
bj.build("case", same, sample=1)
