# title: the defining cell is a %%capture cell, with a class
# expect: right
# check: [tripled(3)]
# %%
%%capture out
class Times:
    def __init__(self, by):
        self.by = by
    def of(self, x):
        return self.by * x
print("noise")
# %%
%%timeit -n1 -r1
1 + 1
# %%
def tripled(x):
    return Times(3).of(x)
# %%
bj.build("case", tripled, sample=1)
