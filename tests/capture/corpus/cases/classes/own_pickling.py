# title: classes with __getstate__, __setstate__ and __reduce__
# expect: right
# check: ["use(3)"]
# %%
import threading
class Guarded:
    def __init__(self): self.lock, self.value = threading.Lock(), 7
    def __getstate__(self): return {"value": self.value}
    def __setstate__(self, state): self.__init__(); self.value = state["value"]
class Reduced:
    def __init__(self, n): self.n = n
    def __reduce__(self): return (make_reduced, (self.n,))
def make_reduced(n): return Reduced(n)
g, r = Guarded(), Reduced(3)
def use(x):
    with g.lock:
        return x + g.value + r.n
# %%
bj.build("case", use, sample=1)
