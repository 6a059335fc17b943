# title: the decorator was redefined after the function was decorated
# expect: right
# check: ["value(4)"]
# %%
def mark(function):
    def wrapper(x):
        return ["first decorator", function(x)]
    return wrapper
# %%
@mark
def value(x):
    return x
# %%
def mark(function):
    def wrapper(x):
        return ["second decorator", function(x)]
    return wrapper
# %%
bj.build("case", value, sample=1)
