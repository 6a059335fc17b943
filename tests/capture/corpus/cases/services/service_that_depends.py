# title: a service that depends on another one
# expect: right
# check: ["Outer().twice(4)"]
# %%
import bentoml
@bentoml.service
class Inner:
    @bentoml.api
    def plus(self, x: int) -> int:
        return x + 100
# %%
@bentoml.service
class Outer:
    inner = bentoml.depends(Inner)
    @bentoml.api
    def twice(self, x: int) -> int:
        return self.inner.plus(x) * 2
# %%
bj.build("case", Outer, sample={"twice": 1})
