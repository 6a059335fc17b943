# title: a notebook function on top of a %run script whose file was changed since
# expect: either
# because: [step, tools.py]
# check: [twice(4)]
# %%
%%writefile tools.py
def step(x):
    return x + 1
# %%
%run tools.py
# %%
%%writefile tools.py
def step(x):
    return x - 1000
# %%
def twice(x):
    return step(step(x))
# %%
bj.build("case", twice, sample=1)
