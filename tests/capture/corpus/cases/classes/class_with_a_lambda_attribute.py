# title: lambdas as class attribute and as attribute of the instance
# expect: right
# check: ["model.run(3)"]
# %%
class Model:
    shape = staticmethod(lambda x: x * 2)
    norm = lambda self, x: x - self.bias
    def __init__(self, then):
        self.bias, self.then = 1, then
    def run(self, x): return [self.shape(x), self.norm(x), self.then(x)]
model = Model(lambda x: x + 100)
# %%
bj.build("case", model, sample=1, endpoints=["run"])
