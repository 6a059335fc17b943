# title: an instance that counts its calls
# expect: refused
# because: [next]
# kernel: changes
# %%
class Counter:
    def __init__(self): self.n = 0
    def next(self, by):
        self.n += by
        return self.n
counter = Counter()
# %%
bj.build("case", counter, sample=1)
