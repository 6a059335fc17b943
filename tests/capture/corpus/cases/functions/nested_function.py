# title: nested functions with names that are globals elsewhere
# expect: right
# check: [outer(4)]
# %%
def inner(x):
    return "wrong one"
# %%
def outer(x):
    def inner(y):
        return y + base
    base = 10
    return inner(x) + sum(inner(i) for i in range(2))
# %%
bj.build("case", outer, sample=1)
