# title: two dictionaries that share an array too large for code
# expect: right
# check: ["shared(3)"]
# %%
import numpy as np
weights = np.arange(5000.0)
first = {"w": weights}
second = {"w": weights}
def shared(x):
    return [first["w"] is second["w"], weights is first["w"], float(weights[x])]
# %%
bj.build("case", shared, sample=1)
