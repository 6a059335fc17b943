# title: a number
# expect: refused
# because: [int]
# %%
bj.build("case", 42, sample=1)
