# title: a dataclass as the answer
# expect: right
# check: ["locate(3)"]
# %%
from dataclasses import dataclass
@dataclass
class Point:
    x: int
    y: float
def locate(x: int) -> Point:
    return Point(x, x / 2)
# %%
bj.build("case", locate, sample=1)
