# title: a class that is used by a function defined before it, with a method that calls that function
# expect: right
# check: ["f(3)"]
# %%
def f(n):
    return Tree(n).total()
# %%
class Tree:
    def __init__(self, n):
        self.n, self.children = n, [Tree(n - 1)] if n > 0 else []
    def total(self):
        return self.n + sum(child.total() for child in self.children) + (f(self.n - 2) if self.n > 1 else 0)
# %%
bj.build("case", f, sample=2)
