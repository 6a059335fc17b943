# title: classes without a method: constants, NamedTuple, Enum, TypedDict, Protocol, IntFlag
# expect: right
# check: ["describe('RED')", "describe('BLUE')"]
# %%
from enum import Enum, IntFlag, auto
from typing import NamedTuple, TypedDict, Protocol
from collections import namedtuple
class Config:
    retries = 3
    names = ["a", "b"]
class Colour(Enum):
    RED = "r"
    BLUE = "b"
class Right(IntFlag):
    READ = auto()
    WRITE = auto()
class Row(NamedTuple):
    id: int
    name: str = "none"
class Info(TypedDict, total=False):
    a: int
class HasName(Protocol):
    name: str
Pair = namedtuple("Pair", "left right")
ORIGIN = Pair(0, 0)
FAVOURITE = Colour.BLUE
# %%
def describe(colour: str):
    picked: Colour = Colour[colour]
    info: Info = {"a": Config.retries}
    return [picked.value, picked is FAVOURITE, Row(1).name, list(Row(2, "x")), info, (Right.READ | Right.WRITE).value,
            ORIGIN.left, Pair(1, 2).right, Config.names]
# %%
bj.build("case", describe, sample="RED")
