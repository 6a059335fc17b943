# title: another answer each time, from the random module
# expect: refused
# because: [draw]
# %%
import random
def draw(x):
    return x + random.random()
# %%
bj.build("case", draw, sample=1)
