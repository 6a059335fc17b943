# title: a class that needs constructor arguments
# expect: refused
# because: [Scaler, factor]
# %%
class Scaler:
    def __init__(self, factor): self.factor = factor
    def scale(self, x): return x * self.factor
# %%
bj.build("case", Scaler, sample=1)
