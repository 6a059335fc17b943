# title: the sample as a tuple of positional arguments
# expect: right
# check: ["area(4, 2.5)", "area(width=1, height=2.0)"]
# raises: ["area(1)"]
# %%
def area(width: int, height: float) -> float:
    return width * height
# %%
bj.build("case", area, sample=(2, 3.0))
