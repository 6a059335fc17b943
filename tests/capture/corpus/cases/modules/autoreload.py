# title: a module under %autoreload 2
# expect: right
# check: ["predict(4)"]
# %%
%%writefile auto_rules.py
def f(x): return x + 1
# %%
%load_ext autoreload
%autoreload 2
from auto_rules import f
def predict(x):
    return f(x)
# %%
bj.build("case", predict, sample=1)
