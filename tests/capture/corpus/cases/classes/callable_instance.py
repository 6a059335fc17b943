# title: a callable instance as the endpoint
# expect: right
# check: ["double(4)"]
# %%
class Multiply:
    def __init__(self, by): self.by = by
    def __call__(self, x): return x * self.by
double = Multiply(2)
# %%
bj.build("case", double, sample=1)
