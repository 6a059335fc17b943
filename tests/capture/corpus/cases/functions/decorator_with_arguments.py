# title: decorators with arguments from a constant and a lambda, stacked
# expect: right
# check: ["value(4)"]
# %%
import functools
TIMES = 3
def repeated(times, then=None):
    def decorate(function):
        @functools.wraps(function)
        def wrapper(x):
            results = [function(x) for _ in range(times)]
            return then(results) if then else results
        return wrapper
    return decorate
# %%
@repeated(TIMES, then=lambda r: r + ["end"])
@repeated(2)
def value(x):
    return x + 0.5
# %%
bj.build("case", value, sample=1)
