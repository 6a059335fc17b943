# title: hints that the sample alone would not give: a float parameter with an int sample, an Optional
# expect: right
# check: ["area(2.5, None)", "area(2.5, 3.5)"]
# %%
from typing import Optional
def area(width: float, height: Optional[float] = None) -> float:
    return width * (width if height is None else height)
# %%
bj.build("case", area, sample={"width": 2, "height": 3})
