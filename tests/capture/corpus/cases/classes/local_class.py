# title: a class defined in a function, and an instance of it
# expect: either
# check: ["thing.value(3)"]
# because: [Thing]
# %%
def make(k):
    class Thing:
        def value(self, x): return x + k
    return Thing()
thing = make(5)
# %%
bj.build("case", thing, sample=1)
