# title: a list nested 300 deep
# expect: either
# check: ["f(300)"]
# because: [f]
# %%
def f(n: int):
    value = []
    for _ in range(n):
        value = [value]
    return value
# %%
bj.build("case", f, sample=300)
