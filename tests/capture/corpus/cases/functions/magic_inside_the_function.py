# title: a shell line inside the function body cannot be served
# expect: refused
# because: [listing, "cell [2]"]
# %%
def listing(x):
    names = !echo hello
    return [x, list(names)]
# %%
bj.build("case", listing, sample=1)
