# title: a helper and a constant from other cells
# expect: right
# check: [price(10), price(0)]
# %%
RATE = 0.19
# %%
def with_tax(net):
    return round(net * (1 + RATE), 2)
# %%
def price(net):
    return {"net": net, "gross": with_tax(net)}
# %%
bj.build("case", price, sample=100)
