# title: a @bentoml.service class of a cell, with a helper and a constant from other cells
# expect: right
# check: ["Greeter().greet('Ada')", "Greeter().add(2, 3)"]
# %%
import bentoml
WORD = "Hello"
def polite(name): return f"{WORD}, dear {name}"
# %%
@bentoml.service(traffic={"timeout": 30})
class Greeter:
    """Greets people."""
    @bentoml.api
    def greet(self, name: str) -> str:
        # a comment that stays
        return polite(name)
    @bentoml.api
    def add(self, a: int, b: int = 10) -> int:
        return a + b
# %%
bj.build("case", Greeter, sample={"greet": "you", "add": {"a": 1}})
