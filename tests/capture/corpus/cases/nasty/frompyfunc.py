# title: a numpy ufunc made of a notebook function
# expect: either
# check: ["f([3])"]
# because: [bumped]
# %%
import numpy as np
def bump(x): return x + 1
bumped = np.frompyfunc(bump, 1, 1)
def f(v: list[int]): return bumped(np.array(v)).tolist()
# %%
bj.build("case", f, sample=[1])
