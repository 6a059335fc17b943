# title: a module of the project that only the function body imports, once per call
# expect: right
# check: ["predict(4)"]
# %%
%%writefile late_rules.py
def f(x): return x - 1
# %%
def predict(x):
    from late_rules import f
    import importlib
    return f(x) + importlib.import_module("late_rules").f(0)
# %%
bj.build("case", predict, sample=1)
