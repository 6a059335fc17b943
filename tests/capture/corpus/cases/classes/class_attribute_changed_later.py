# title: a class attribute that a later cell changed
# expect: right
# check: ["Model().predict(3)"]
# %%
class Model:
    bias = 1
    def predict(self, x): return x + self.bias
# %%
Model.bias = 1000
# %%
bj.build("case", Model, sample=1)
