# title: a function imported before the module was edited and reloaded: the old one lives on under its name
# expect: either
# check: ["predict(4)"]
# because: [mixed_rules]
# %%
%%writefile mixed_rules.py
def f(x): return ["first", x]
# %%
import importlib, mixed_rules
from mixed_rules import f
# %%
%%writefile mixed_rules.py
def f(x): return ["second and longer", x]
# %%
importlib.reload(mixed_rules)
def predict(x):
    return [f(x), mixed_rules.f(x)]
# %%
bj.build("case", predict, sample=1)
