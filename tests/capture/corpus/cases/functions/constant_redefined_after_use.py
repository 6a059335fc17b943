# title: a constant that was changed after the function was defined; the value of now counts
# expect: right
# check: [scaled(2)]
# %%
FACTOR = 2
def scaled(x):
    return x * FACTOR
# %%
FACTOR = 50
# %%
bj.build("case", scaled, sample=1)
