# title: functools.lru_cache and functools.cache
# expect: right
# check: ["fib(40)", "fib(3)"]
# %%
from functools import lru_cache, cache
@cache
def base(n):
    return n
@lru_cache(maxsize=None)
def fib(n):
    return base(n) if n < 2 else fib(n - 1) + fib(n - 2)
# %%
bj.build("case", fib, sample=30)
