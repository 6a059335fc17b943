# title: a function that exec made, of which there is no source
# expect: refused
# because: [made]
# %%
exec("def made(x):\n    return x + 1")
# %%
bj.build("case", made, sample=1)
