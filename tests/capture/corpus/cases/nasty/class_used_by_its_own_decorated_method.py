# title: decorators, defaults and annotations in a class body that name other notebook things
# expect: either
# because: [call_it]
# check: ["Api().call_it(3)"]
# %%
import functools
LIMIT = 5
def capped(function):
    @functools.wraps(function)
    def inner(self, x: "int", *args): return min(function(self, x, *args), LIMIT * 100)
    return inner
class Options:
    def __init__(self, step=LIMIT): self.step = step
class Api:
    options = Options()
    table = {name: len(name) for name in ("a", "bb")}
    @capped
    def call_it(self, x: int, more: "Options" = None, by=LIMIT) -> "list[Options] | int":
        return x * by + self.options.step + self.table["bb"]
# %%
bj.build("case", Api, sample={"call_it": {"x": 1}})
