# title: itertools.count in a global
# expect: refused
# because: [ids]
# kernel: changes
# %%
import itertools
ids = itertools.count()
def f(x): return [x, next(ids)]
# %%
bj.build("case", f, sample=1)
