# title: globals reached by globals()[...] , which nobody can see in the source
# expect: either
# check: ["dispatch('plus', 3)"]
# because: [globals]
# %%
def plus(x): return x + 1
def minus(x): return x - 1
def dispatch(name, x):
    return globals()[name](x)
# %%
bj.build("case", dispatch, sample={"name": "minus", "x": 1})
