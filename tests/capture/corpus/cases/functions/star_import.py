# title: from math import *
# expect: right
# check: [wave(0.5)]
# %%
from math import *
# %%
def wave(x):
    return sin(x) * cos(x) + floor(tau)
# %%
bj.build("case", wave, sample=1.0)
