# title: a star import one of whose names a later cell redefines
# expect: right
# check: [total(2.25)]
# %%
from math import *
# %%
def sqrt(x):
    return x * 100
# %%
def total(x):
    return sqrt(x) + ceil(x)
# %%
bj.build("case", total, sample=1.5)
