# title: an endpoint with *args
# expect: either
# check: ["total(1, 2, 3)"]
# because: [args]
# %%
def total(*args):
    return sum(args)
# %%
bj.build("case", total, sample=(1, 2))
