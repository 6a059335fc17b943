# title: a name with a typing error in the magic line
# expect: refused
# because: [predikt, predict]
# %%
def predict(x): return x
# %%
%bento_build case predikt --sample 1
