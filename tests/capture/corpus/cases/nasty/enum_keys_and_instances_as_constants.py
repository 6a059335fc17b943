# title: constants made of enum members, frozen dataclasses and namedtuples
# expect: right
# check: ["f('RED')"]
# %%
from collections import namedtuple
from dataclasses import dataclass
from enum import Enum
class Colour(Enum):
    RED = 1
    BLUE = 2
@dataclass(frozen=True)
class Spot:
    x: int
    colour: Colour = Colour.BLUE
P = namedtuple("P", "a b")
NAMES = {Colour.RED: "rot", Colour.BLUE: "blau"}
SPOTS = {Spot(1): "one", Spot(2, Colour.RED): "two"}
PAIRS = [P(1, 2), P(Colour.RED, Spot(3))]
def f(name: str, default=Colour.BLUE):
    return [NAMES[Colour[name]], SPOTS[Spot(2, Colour.RED)], PAIRS[1].b.x, PAIRS[1].a is Colour.RED, default.name]
# %%
bj.build("case", f, sample={"name": "BLUE"})
