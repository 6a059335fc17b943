# title: the endpoint is named metrics, where Prometheus looks
# expect: either
# check: ["metrics(3)"]
# because: [metrics]
# %%
def metrics(x):
    return {"twice": x * 2}
# %%
bj.build("case", metrics, sample=1)
