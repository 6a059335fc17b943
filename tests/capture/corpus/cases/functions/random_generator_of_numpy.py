# title: a numpy generator that is kept in a global
# expect: refused
# because: [noise]
# kernel: changes
# %%
import numpy as np
rng = np.random.default_rng(0)
def noise(x):
    return float(x + rng.normal())
# %%
bj.build("case", noise, sample=1.0)
