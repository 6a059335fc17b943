# title: a name that was never defined, in a branch that the sample does not take
# expect: refused
# because: [apply_discount, "cell [2]", line 3]
# %%
def price(x):
    if x > 1000:
        return apply_discount(x)
    return x
# %%
bj.build("case", price, sample=10)
