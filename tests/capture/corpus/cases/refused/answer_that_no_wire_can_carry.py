# title: a function that answers with a function
# expect: refused
# because: [make, function]
# %%
def make(x):
    return lambda y: x + y
# %%
bj.build("case", make, sample=1)
