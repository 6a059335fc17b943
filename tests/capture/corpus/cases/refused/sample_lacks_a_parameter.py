# title: a sample that lacks a required parameter
# expect: refused
# because: [height, area]
# %%
def area(width, height):
    return width * height
# %%
bj.build("case", area, sample={"width": 3})
