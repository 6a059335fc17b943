# title: an instance whose class was redefined since it was made
# expect: right
# check: ["old.answer(3)"]
# %%
class Model:
    def __init__(self, k): self.k = k
    def answer(self, x): return ["old", x, self.k]
old = Model(1)
# %%
class Model:
    def __init__(self, k): self.k = k
    def answer(self, x): return ["new", x, self.k]
# %%
bj.build("case", old, sample=5)
