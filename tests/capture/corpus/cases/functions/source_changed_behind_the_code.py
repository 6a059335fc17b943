# title: a function whose __code__ was replaced by that of another one
# expect: either
# check: ["a(3)"]
# because: [a]
# %%
def a(x):
    return "a", x
def b(x):
    return ["b", x]
a.__code__ = b.__code__
# %%
bj.build("case", a, sample=1)
