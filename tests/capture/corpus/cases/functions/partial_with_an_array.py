# title: a partial that holds an array, used by a function
# expect: right
# check: ["project([1.0, 2.0])"]
# %%
from functools import partial
import numpy as np
W = np.arange(6.0).reshape(2, 3)
def multiply(v, w):
    return (np.asarray(v) @ w).tolist()
apply = partial(multiply, w=W)
def project(v):
    return apply(v)
# %%
bj.build("case", project, sample=[0.5, 0.5])
