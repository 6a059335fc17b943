# title: an instance with state from its constructor
# expect: right
# check: ["scaler.scale(4)", "scaler.describe('x')"]
# %%
class Scaler:
    def __init__(self, factor, *, name):
        self.factor, self.name = factor, name
    def scale(self, x):
        return x * self.factor
    def describe(self, prefix):
        return f"{prefix}{self.name}"
scaler = Scaler(3, name="three")
# %%
bj.build("case", scaler, sample={"scale": 2, "describe": "> "})
