# title: a Bento whose name is a keyword, with a dash and a digit
# expect: right
# check: [f(3)]
# %%
def f(x): return x + 1
# %%
bj.build("import-2", f, sample=1)
