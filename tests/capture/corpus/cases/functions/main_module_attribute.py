# title: a helper reached through the __main__ module
# expect: either
# check: ["use(3)"]
# because: [use]
# %%
import __main__
BIAS = 5
def use(x):
    return x + __main__.BIAS
# %%
bj.build("case", use, sample=1)
