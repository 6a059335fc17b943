# title: types.FunctionType with globals of its own
# expect: either
# check: ["other(3)"]
# because: [other]
# %%
import types
K = 1
def plain(x):
    return x + K
other = types.FunctionType(plain.__code__, {"K": 100, "__builtins__": __builtins__}, "other")
# %%
bj.build("case", other, sample=1)
