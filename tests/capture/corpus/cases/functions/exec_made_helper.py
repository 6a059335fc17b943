# title: a helper that exec made
# expect: refused
# because: [made, use]
# %%
space = {}
exec("def made(x):\n    return x + 1", space)
made = space["made"]
def use(x):
    return made(x)
# %%
bj.build("case", use, sample=1)
