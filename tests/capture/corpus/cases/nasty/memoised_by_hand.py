# title: a memoising decorator of the notebook whose cache is warm
# expect: right
# check: ["f(30)"]
# %%
def memo(function):
    cache = {}
    def wrapper(n):
        if n not in cache: cache[n] = function(n)
        return cache[n]
    wrapper.cache = cache
    return wrapper
@memo
def f(n):
    return n if n < 2 else f(n - 1) + f(n - 2)
f(25)
# %%
bj.build("case", f, sample=10)
