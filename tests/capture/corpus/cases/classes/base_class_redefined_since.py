# title: the base class was redefined after the class was derived from it
# expect: right
# check: ["Child().who('x')"]
# %%
class Base:
    def name(self): return "first base"
# %%
class Child(Base):
    def who(self, x): return [self.name(), x]
# %%
class Base:
    def name(self): return "second base"
# %%
bj.build("case", Child, sample="y", endpoints=["who"])
