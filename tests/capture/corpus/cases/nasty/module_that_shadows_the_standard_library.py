# title: a project module named as one of the standard library
# expect: either
# check: ["f(3)"]
# because: [colorsys]
# %%
%%writefile colorsys.py
def mine(x): return ["mine", x]
# %%
import sys
sys.modules.pop("colorsys", None)
sys.path.insert(0, "")
import colorsys
def f(x): return colorsys.mine(x)
# %%
bj.build("case", f, sample=1)
