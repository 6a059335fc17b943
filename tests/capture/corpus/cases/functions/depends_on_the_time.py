# title: the answer depends on the clock
# expect: refused
# because: [stamp]
# %%
import time
def stamp(x):
    return [x, time.time_ns()]
# %%
bj.build("case", stamp, sample=1)
