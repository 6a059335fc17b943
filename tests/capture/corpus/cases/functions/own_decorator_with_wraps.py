# title: an own decorator with functools.wraps
# expect: right
# check: ["twice(4)"]
# %%
import functools
def logged(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return {"name": function.__name__, "result": function(*args, **kwargs)}
    return wrapper
# %%
@logged
def twice(x):
    return x * 2
# %%
bj.build("case", twice, sample=1)
