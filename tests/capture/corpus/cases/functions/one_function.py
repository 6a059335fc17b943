# title: one function, nothing else
# expect: right
# check: [area(3), area(0), area(-2)]
# %%
def area(width):
    """Area of a square."""
    # the comment stays
    return width * width
# %%
bj.build("case", area, sample=4)
