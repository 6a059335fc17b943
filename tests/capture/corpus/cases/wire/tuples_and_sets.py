# title: a tuple with arrays in it, and a set
# expect: either
# check: ["pair(3)"]
# because: [pair]
# %%
import numpy as np
def pair(n: int):
    return np.arange(n), {"mean": np.float32(n / 3), "seen": {1, 2}}
# %%
bj.build("case", pair, sample=2)
