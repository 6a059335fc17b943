# title: a module object made with types.ModuleType
# expect: refused
# because: [handmade]
# %%
import sys, types
handmade = types.ModuleType("handmade")
exec("def f(x): return x + 1", handmade.__dict__)
sys.modules["handmade"] = handmade
def predict(x):
    return handmade.f(x)
# %%
bj.build("case", predict, sample=1)
