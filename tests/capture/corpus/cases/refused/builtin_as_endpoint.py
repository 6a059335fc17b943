# title: a builtin function, which has no source and needs none
# expect: either
# check: ["sorted([3, 1])"]
# because: [sorted]
# %%
bj.build("case", sorted, sample=[2, 1])
