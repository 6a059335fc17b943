# title: two %run scripts, each with a global K and a function helper of its own
# expect: either
# because: ["'K'", helper]
# check: [f(3)]
# %%
%%writefile one.py
K = 1
def helper(x): return [x, K]
def fa(x): return helper(x)
# %%
%%writefile two.py
K = 2
def helper(x): return {"x": x, "k": K}
def fb(x): return helper(x)
# %%
%run one.py
%run two.py
K = 3
# %%
def f(x):
    return [fa(x), fb(x), K]
# %%
bj.build("case", f, sample=1)
