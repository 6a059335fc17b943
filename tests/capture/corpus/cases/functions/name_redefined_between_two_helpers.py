# title: the same name defined twice, each version kept by a helper under another name
# expect: right
# check: [both(5)]
# %%
def scale(x):
    return x * 10
first = scale
# %%
def scale(x):
    return x * 100
second = scale
# %%
def both(x):
    return [first(x), second(x)]
# %%
bj.build("case", both, sample=1)
