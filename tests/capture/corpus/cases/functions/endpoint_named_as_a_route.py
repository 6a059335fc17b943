# title: the endpoint is named as a route that BentoML has already
# expect: either
# check: ["healthz(3)"]
# because: [healthz]
# %%
def healthz(x):
    return x + 1
# %%
bj.build("case", healthz, sample=1)
