# title: a module that was edited and reloaded with importlib.reload
# expect: right
# check: ["predict(4)"]
# %%
%%writefile fresh_rules.py
def f(x): return ["first", x]
# %%
import fresh_rules, importlib
# %%
%%writefile fresh_rules.py
def f(x): return ["second and longer", x]
# %%
importlib.reload(fresh_rules)
def predict(x):
    return fresh_rules.f(x)
# %%
bj.build("case", predict, sample=1)
