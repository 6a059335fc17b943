# title: a method that a later cell replaced, and one it added
# expect: right
# check: ["Model().predict(3)"]
# %%
class Model:
    def predict(self, x): return ["original", x]
# %%
def better(self, x):
    return ["patched", x, self.extra()]
Model.predict = better
Model.extra = lambda self: "extra"
# %%
bj.build("case", Model, sample=1)
