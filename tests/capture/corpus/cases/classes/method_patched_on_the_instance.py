# title: a method that was replaced on the instance alone
# expect: right
# check: ["model.predict(3)"]
# %%
import types
class Model:
    def predict(self, x): return ["original", x]
model = Model()
def better(self, x):
    return ["patched", x]
model.predict = types.MethodType(better, model)
# %%
bj.build("case", model, sample=1)
