# title: typing.Generic, TypeVar and a type alias
# expect: right
# check: ["run(3)"]
# %%
from typing import Generic, TypeVar, Callable
T = TypeVar("T")
Rule = Callable[[int], int]
class Stack(Generic[T]):
    def __init__(self): self.items: list[T] = []
    def push(self, item: T) -> "Stack[T]":
        self.items.append(item)
        return self
def run(x: int) -> list:
    rule: Rule = lambda v: v + 1
    return Stack[int]().push(x).push(rule(x)).items
# %%
bj.build("case", run, sample=1)
