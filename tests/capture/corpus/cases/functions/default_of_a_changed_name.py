# title: a default argument computed from a name that has another value now
# expect: right
# check: ["move(1)"]
# %%
STEP = 5
def move(x, step=STEP * 2):
    return x + step
# %%
STEP = 1000
# %%
bj.build("case", move, sample={"x": 1})
