# title: parameters with leading underscores
# expect: either
# because: [_a, rename]
# check: ["f(1, 2)"]
# %%
def f(_a, __b):
    return [_a, __b]
# %%
bj.build("case", f, sample=(5, 4))
