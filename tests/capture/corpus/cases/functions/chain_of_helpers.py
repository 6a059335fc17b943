# title: five helpers, each in a cell of its own, each calling the next
# expect: right
# check: [a(1), a(-5)]
# %%
def e(x): return x + 5
# %%
def d(x): return e(x) * 4
# %%
def c(x): return d(x) - 3
# %%
def b(x): return c(x) ** 2
# %%
def a(x): return b(x) + 1
# %%
bj.build("case", a, sample=2)
