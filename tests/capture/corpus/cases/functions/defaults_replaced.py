# title: a function whose __defaults__ were changed after it was defined
# expect: right
# check: ["f(3)"]
# %%
def f(x, k=1):
    return x + k
f.__defaults__ = (50,)
# %%
bj.build("case", f, sample={"x": 1})
