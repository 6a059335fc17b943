# title: from a project module import *, with __all__ and a private name
# expect: right
# check: ["f(3)"]
# %%
%%writefile allnames.py
__all__ = ["visible", "LIMIT"]
LIMIT = 4
def visible(x): return _hidden(x) + LIMIT
def _hidden(x): return x * 2
# %%
from allnames import *
def f(x): return [visible(x), LIMIT]
# %%
bj.build("case", f, sample=1)
