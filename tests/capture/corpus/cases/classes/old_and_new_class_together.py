# title: instances of the old and of the new class of one name, in one function
# expect: right
# check: ["both(3)"]
# %%
class Model:
    def answer(self, x): return ["old", x]
old = Model()
# %%
class Model:
    def answer(self, x): return ["new", x]
new = Model()
# %%
def both(x):
    return [old.answer(x), new.answer(x), Model().answer(x), isinstance(old, Model)]
# %%
bj.build("case", both, sample=5)
