# title: on_startup and on_shutdown hooks, on_deployment, and state that they make
# expect: right
# check: ["Hooked().value(4)"]
# %%
import bentoml
@bentoml.service
class Hooked:
    def __init__(self): self.base = 1
    @bentoml.on_startup
    def warm(self): self.base = 50
    @bentoml.on_shutdown
    def end(self): self.base = None
    @bentoml.api
    def value(self, x: int) -> int:
        return x + (50 if self.base else 0)
# %%
bj.build("case", Hooked, sample={"value": 1})
