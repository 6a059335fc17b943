# title: a service class that inherits from a plain class of another cell
# expect: right
# check: ["Child().work(4)"]
# %%
import bentoml
class Base:
    factor = 7
    def compute(self, x): return x * self.factor
# %%
@bentoml.service
class Child(Base):
    @bentoml.api
    def work(self, x: int) -> int:
        return self.compute(x)
# %%
bj.build("case", Child, sample={"work": 1})
