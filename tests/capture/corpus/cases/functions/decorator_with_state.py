# title: a registering decorator, whose registry the endpoint reads
# expect: right
# check: ["run('square', 5)", "run('negate', 5)"]
# %%
REGISTRY = {}
def register(function):
    REGISTRY[function.__name__] = function
    return function
# %%
@register
def square(x):
    return x * x
@register
def negate(x):
    return -x
# %%
def run(name, x):
    return REGISTRY[name](x)
# %%
bj.build("case", run, sample={"name": "square", "x": 2})
