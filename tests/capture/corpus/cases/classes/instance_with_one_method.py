# title: an instance with one method; the sample is the value itself
# expect: right
# check: ["model.predict(4)"]
# %%
class Model:
    def __init__(self): self.bias = 5
    def predict(self, x): return x + self.bias
model = Model()
# %%
bj.build("case", model, sample=2)
