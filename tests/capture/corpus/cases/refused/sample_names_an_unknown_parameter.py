# title: a sample with a parameter that the function does not have
# expect: refused
# because: [heigth, area]
# %%
def area(width, height=1):
    return width * height
# %%
bj.build("case", area, sample={"width": 3, "heigth": 2})
