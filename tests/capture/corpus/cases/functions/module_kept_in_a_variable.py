# title: a module that is reached through another name than it was imported by
# expect: right
# check: ["length([3.0, 4.0])"]
# %%
import numpy
xp = numpy
norm = xp.linalg.norm
# %%
def length(v):
    return float(norm(xp.asarray(v)))
# %%
bj.build("case", length, sample=[1.0, 0.0])
