# title: a service file written by %%writefile
# expect: right
# proof: none
# check: ["plus(4)"]
# %%
%%writefile service.py
import bentoml
@bentoml.service
class Plus:
    @bentoml.api
    def plus(self, x: int) -> int:
        return x + 1
# %%
def plus(x): return x + 1
# %%
bj.build("case", "service.py", sample={"plus": 1})
