# title: a service defined by %%bento_service
# expect: right
# kernel: changes
# check: ["Doubler().double(4)"]
# %%
import bentoml
STEP = 2
# %%
%%bento_service case --sample {"double": 3}
@bentoml.service
class Doubler:
    @bentoml.api
    def double(self, x: int) -> int:
        return x * STEP
