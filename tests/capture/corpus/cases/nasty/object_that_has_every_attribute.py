# title: an object that answers every attribute with another such object
# expect: either
# check: ["f(3)"]
# because: [anything]
# %%
class Anything:
    def __getattr__(self, name):
        if name.startswith("__"): raise AttributeError(name)
        return Anything()
    def __call__(self, *args): return 7
anything = Anything()
def f(x): return x + anything.some.thing(1)
# %%
bj.build("case", f, sample=1)
