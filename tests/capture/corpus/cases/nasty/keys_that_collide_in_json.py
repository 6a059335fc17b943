# title: a dictionary with the keys 1 and '1'
# expect: either
# check: ["f(3)"]
# because: [f]
# %%
def f(x):
    return {1: "number", "1": "text", None: x, True: "one"}
# %%
bj.build("case", f, sample=1)
