# title: the underscore as a throw-away loop name is not the notebook's last result
# expect: right
# check: ["many(3)"]
# %%
import numpy as np
np.zeros(3_000_000)
# %%
def many(n):
    return [0 for _ in range(n)]
# %%
bj.build("case", many, sample=1)
