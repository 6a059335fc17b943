# title: a local variable has the name of a huge global, which stays out
# expect: right
# check: ["mean([1.0, 2.0])"]
# largest: 1000000
# %%
import numpy as np
data = np.zeros(2_000_000)
# %%
def mean(values):
    data = values
    return float(np.mean(data))
# %%
bj.build("case", mean, sample=[3.0, 5.0])
