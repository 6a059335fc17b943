# title: float32 in, float32 out
# expect: right
# check: ["third(np.array([1, 2, 7], 'float32'))"]
# %%
import numpy as np
def third(v):
    return v / np.float32(3)
# %%
bj.build("case", third, sample=np.array([1, 5], "float32"))
