# title: itertools.count and random.Random kept in globals
# expect: refused
# because: [f]
# kernel: changes
# %%
import random
rng = random.Random(0)
def f(x): return x + rng.random()
# %%
bj.build("case", f, sample=1.0)
