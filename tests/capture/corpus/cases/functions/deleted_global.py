# title: a helper that was deleted with del after the function was defined
# expect: refused
# because: [helper, "cell [3]", line 2]
# %%
def helper(x):
    return x
# %%
def use(x):
    return helper(x)
# %%
del helper
# %%
bj.build("case", use, sample=1)
