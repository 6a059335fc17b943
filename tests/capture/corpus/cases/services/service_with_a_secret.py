# title: a service with a key in its code
# expect: refused
# because: [Svc, secret]
# %%
import bentoml
@bentoml.service
class Svc:
    def __init__(self): self.key = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
    @bentoml.api
    def value(self, x: int) -> int:
        return x + len(self.key)
# %%
bj.build("case", Svc, sample={"value": 1})
