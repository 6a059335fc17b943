# title: closures whose variables have one name and other values, and a global of that name too
# expect: right
# check: [f(3)]
# %%
import numpy as np
def make(weights, name):
    def apply(x):
        return [name, float(weights.sum()) * x]
    return apply
weights = np.full(1000, 5.0)
name = "global"
one, two = make(np.full(1000, 1.0), "one"), make(np.full(1000, 2.0), "two")
def f(x):
    return [one(x), two(x), name, float(weights.sum())]
# %%
bj.build("case", f, sample=1)
