# title: a module of the notebook's folder, imported under another name
# expect: right
# check: [predict(4)]
# plan: [rules]
# %%
%%writefile rules.py
import math
LIMIT = 3
def capped(x):
    return min(x, LIMIT) + math.floor(0.5)
# %%
import rules as r
from rules import capped as cap
def predict(x):
    return [r.capped(x), cap(-x), r.LIMIT]
# %%
bj.build("case", predict, sample=1)
