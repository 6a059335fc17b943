# title: numpy's global random state, seeded in a cell and not in the function
# expect: refused
# because: [draw]
# %%
import numpy as np
np.random.seed(0)
def draw(n):
    return np.random.rand(n).tolist()
# %%
bj.build("case", draw, sample=3)
