# title: two lambdas on one line that differ only by what they call
# expect: right
# check: ["both(9)"]
# %%
low, high = (lambda x: x - BY), (lambda x: x - BY2); BY, BY2 = 1, 2
# %%
def both(x):
    return [low(x), high(x)]
# %%
bj.build("case", both, sample=3)
