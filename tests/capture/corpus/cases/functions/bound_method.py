# title: a bound method of an instance of a notebook class
# expect: right
# check: ["score(4)"]
# %%
class Model:
    def __init__(self, bias):
        self.bias = bias
    def score(self, x):
        return x + self.bias
score = Model(100).score
# %%
bj.build("case", score, sample=1)
