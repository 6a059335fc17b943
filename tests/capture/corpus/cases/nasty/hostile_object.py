# title: an object whose comparison, truth, hash, length and text all raise
# expect: right
# check: ["f(3)"]
# %%
class Hostile:
    def __init__(self): self.n = 5
    def __eq__(self, other): raise RuntimeError("eq")
    __hash__ = None
    def __bool__(self): raise RuntimeError("bool")
    def __len__(self): raise RuntimeError("len")
    def __repr__(self): raise RuntimeError("repr")
    def __iter__(self): raise RuntimeError("iter")
    def __getattr__(self, name):
        raise AttributeError(name) if name.startswith("__") else KeyError(name)
h = Hostile()
def f(x): return x + h.n
# %%
bj.build("case", f, sample=1)
