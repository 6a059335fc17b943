# title: a task endpoint beside a plain one
# expect: right
# check: ["Worker().quick(4)", "Worker().slow(4)"]
# %%
import bentoml
@bentoml.service
class Worker:
    @bentoml.task
    def slow(self, x: int) -> int:
        return x * 1000
    @bentoml.api
    def quick(self, x: int) -> int:
        return x
# %%
bj.build("case", Worker, sample={"slow": 1, "quick": 2})
