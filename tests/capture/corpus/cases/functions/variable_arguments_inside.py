# title: helpers with *args and **kwargs
# expect: right
# check: ["run(4)"]
# %%
def gather(*args, scale=1, **kwargs):
    return [sum(args) * scale, sorted(kwargs.items())]
def run(x):
    args, kwargs = (x, x + 1), {"b": 2, "a": 1}
    return [list(part) if isinstance(part, tuple) else part for part in gather(*args, scale=2, **kwargs)]
# %%
bj.build("case", run, sample=1)
