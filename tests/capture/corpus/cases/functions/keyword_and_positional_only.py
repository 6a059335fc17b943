# title: positional-only and keyword-only parameters with defaults
# expect: right
# check: ["combine(1, b=2, c=3)", "combine(1, b=5)"]
# %%
def combine(a, /, b, *, c=10):
    return a * 100 + b * 10 + c
# %%
bj.build("case", combine, sample={"a": 1, "b": 2, "c": 3})
