# title: type hints as strings that name notebook classes, and a hint that names nothing
# expect: right
# check: ["middle(1, 5)"]
# %%
from typing import Optional, TYPE_CHECKING
if TYPE_CHECKING:
    from somewhere_that_is_not_installed import Thing
class Span:
    def __init__(self, low: int, high: int):
        self.low, self.high = low, high
# %%
def centre(span: "Span", thing: "Optional[Thing]" = None) -> "float":
    return (span.low + span.high) / 2
def middle(low: "int", high: "int") -> "float":
    return centre(Span(low, high))
# %%
bj.build("case", middle, sample={"low": 1, "high": 2})
