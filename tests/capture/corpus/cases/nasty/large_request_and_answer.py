# title: 4 MB in, 4 MB out
# expect: right
# check: ["f(np.arange(500_000.0))"]
# %%
import numpy as np
def f(v): return v * 2
# %%
bj.build("case", f, sample=np.arange(10.0))
