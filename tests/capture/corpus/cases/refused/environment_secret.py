# title: a secret of the environment that the function reads
# expect: refused
# because: [SHOP_API_TOKEN]
# %%
%env SHOP_API_TOKEN=tok-9f8e7d6c5b4a39281706f5e4d3c2b1a0
import os
def predict(x):
    return [x, len(os.environ["SHOP_API_TOKEN"])]
# %%
bj.build("case", predict, sample=1)
