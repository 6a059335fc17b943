# title: integers beyond 2**53 in and out
# expect: right
# check: ["plus(2**60 + 1)", "plus(-(2**62))"]
# %%
import numpy as np
def plus(n: int):
    return {"n": n + 1, "array": np.array([n, n + 1], dtype="int64")}
# %%
bj.build("case", plus, sample=2**53 + 1)
