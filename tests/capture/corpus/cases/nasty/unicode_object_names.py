# title: a large object with a unicode name
# expect: right
# check: ["f(3)"]
# %%
import numpy as np
größen = np.arange(1000.0)
def f(i: int) -> float: return float(größen[i])
# %%
bj.build("case", f, sample=1)
