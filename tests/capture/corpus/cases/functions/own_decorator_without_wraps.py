# title: an own decorator without wraps, so the function has the wrapper's name
# expect: right
# check: ["twice(4)"]
# %%
def plus_one(function):
    def wrapper(x):
        return function(x) + 1
    return wrapper
# %%
@plus_one
def twice(x):
    return x * 2
# %%
bj.build("case", twice, sample=1)
