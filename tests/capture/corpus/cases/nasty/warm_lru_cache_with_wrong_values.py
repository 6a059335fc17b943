# title: an lru_cache that is warm with what an older helper answered
# expect: refused
# because: [f]
# check: ["f(n=5)"]
# %%
from functools import lru_cache
def helper(n): return n + 1
@lru_cache
def f(n): return helper(n)
f(n=5)
# %%
def helper(n): return n + 1000
# %%
bj.build("case", f, sample=5)
