# title: a module whose file was edited after it was imported: stale in the kernel
# expect: either
# check: ["predict(4)"]
# because: [stale_rules]
# warns: [stale_rules]
# %%
%%writefile stale_rules.py
def f(x): return ["imported", x]
# %%
import stale_rules
# %%
%%writefile stale_rules.py
def f(x): return ["on disk now", x]
# %%
def predict(x):
    return stale_rules.f(x)
# %%
bj.build("case", predict, sample=1)
