# title: a class whose cell was edited and run again after instances were made
# expect: right
# check: ["price(3)"]
# order: [one, two, use]
# %% [one]
class Tariff:
    rate = 2
    def cost(self, x): return x * self.rate
# %% [two]
class Tariff:
    rate = 3
    def cost(self, x): return x * self.rate + 1
# %% [use]
def price(x): return Tariff().cost(x)
# %%
bj.build("case", price, sample=1)
