# title: an Enum of the notebook as a parameter's type and in the answer
# expect: right
# check: ["invert(Colour.BLUE)"]
# %%
from enum import Enum
class Colour(str, Enum):
    RED = "red"
    BLUE = "blue"
def invert(colour: Colour) -> str:
    return Colour.RED.value if colour is Colour.BLUE else Colour.BLUE.value
# %%
bj.build("case", invert, sample=Colour.RED)
