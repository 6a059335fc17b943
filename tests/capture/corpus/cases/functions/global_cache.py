# title: a function that fills a global cache, which changes no answer
# expect: right
# kernel: changes
# check: ["squared(12)", "squared(12)"]
# %%
CACHE = {}
def squared(x):
    if x not in CACHE:
        CACHE[x] = x * x
    return CACHE[x]
# %%
bj.build("case", squared, sample=5)
