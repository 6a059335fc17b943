# title: a module that reads a global of its own which the notebook has changed
# expect: either
# check: ["predict(4)"]
# because: [knobs]
# %%
%%writefile knobs.py
FACTOR = 1
def f(x): return x * FACTOR
# %%
import knobs
knobs.FACTOR = 100
def predict(x):
    return knobs.f(x)
# %%
bj.build("case", predict, sample=1)
