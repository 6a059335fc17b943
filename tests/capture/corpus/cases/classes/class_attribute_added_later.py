# title: a class attribute that a later cell added
# expect: right
# check: ["Model().predict(3)"]
# %%
class Model:
    def predict(self, x): return x + self.table[x % 2]
# %%
Model.table = {0: 100, 1: 200}
# %%
bj.build("case", Model, sample=1)
