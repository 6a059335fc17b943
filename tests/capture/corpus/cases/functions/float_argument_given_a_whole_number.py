# title: a float parameter that a caller gives a whole number
# expect: right
# check: [half(3.5), half(1e300)]
# raises: [half("three")]
# %%
def half(x: float) -> float:
    return x / 2
# %%
bj.build("case", half, sample=5.0)
