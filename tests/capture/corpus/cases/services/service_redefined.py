# title: the service's cell was edited and run again
# expect: right
# check: ["Svc().value(4)"]
# order: [one, two]
# %% [one]
import bentoml
@bentoml.service
class Svc:
    @bentoml.api
    def value(self, x: int) -> int:
        return x + 1
# %% [two]
@bentoml.service
class Svc:
    @bentoml.api
    def value(self, x: int) -> int:
        return x + 1000
# %%
bj.build("case", Svc, sample={"value": 1})
