# title: cached_property, partialmethod, classmethod property chains and __init_subclass__ registries
# expect: right
# check: ["m.run(3)"]
# %%
from functools import cached_property, partialmethod
class M:
    def __init__(self, k): self.k = k
    @cached_property
    def square(self): return self.k ** 2
    def add(self, x, *, by): return x + by
    add_ten = partialmethod(add, by=10)
    def run(self, x): return [self.square, self.add_ten(x)]
m = M(4)
m.square
# %%
bj.build("case", m, sample={"run": 1}, endpoints=["run"])
