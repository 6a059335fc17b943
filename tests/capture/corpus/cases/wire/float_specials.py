# title: NaN, infinities and negative zero in a frame and an array
# expect: right
# check: ["flip(np.array([np.nan, np.inf, -np.inf, -0.0, 5e-324]))"]
# %%
import numpy as np
def flip(v):
    return -v
# %%
bj.build("case", flip, sample=np.array([1.0, np.nan]))
