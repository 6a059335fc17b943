# title: map, zip, range and dictionary views as answers
# expect: either
# check: ["f(3)"]
# because: [f]
# %%
def f(n: int):
    return {"map": map(str, range(n)), "keys": {"a": 1}.keys()}
# %%
bj.build("case", f, sample=2)
