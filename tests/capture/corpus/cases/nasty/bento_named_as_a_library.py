# title: a Bento named numpy, whose function needs numpy
# expect: right
# check: ["f([3.0])"]
# %%
import numpy
def f(v): return float(numpy.mean(v))
# %%
bj.build("numpy", f, sample=[1.0])
