# title: the endpoint is named load, and needs an object
# expect: right
# check: ["load(3)"]
# %%
import numpy as np
W = np.arange(5.0)
def load(i: int) -> float:
    return float(W[i])
# %%
bj.build("case", load, sample=1)
