# title: a service imported from a module of the user's project
# expect: right
# check: ["Imported().plus(4)"]
# %%
%%writefile myservice.py
import bentoml
from myrules import STEP
@bentoml.service
class Imported:
    @bentoml.api
    def plus(self, x: int) -> int:
        return x + STEP
# %%
%%writefile myrules.py
STEP = 3
# %%
from myservice import Imported
# %%
bj.build("case", Imported, sample={"plus": 1})
