# title: a name that no Bento can have
# expect: refused
# because: [My Bento]
# %%
def predict(x): return x
# %%
bj.build("My Bento!", predict, sample=1)
