# title: IPython's ? syntax and an assignment of a magic's result in the defining cell
# expect: right
# check: ["plus(3)"]
# %%
len?
root = %pwd
def plus(x):
    return x + 1
plus?
# %%
bj.build("case", plus, sample=1)
