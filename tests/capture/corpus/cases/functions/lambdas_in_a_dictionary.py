# title: a dispatch table of lambdas and functions
# expect: right
# check: ["dispatch('add', 2)", "dispatch('neg', 2)", "dispatch('own', 2)"]
# %%
def own(x):
    return f"own {x}"
OPS = {"add": lambda x: x + 1, "neg": lambda x: -x, "own": own, "abs": abs}
# %%
def dispatch(op, x):
    return OPS[op](x)
# %%
bj.build("case", dispatch, sample={"op": "abs", "x": -5})
