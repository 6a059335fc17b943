# title: the sample makes the function raise
# expect: refused
# because: [checked, "is too small"]
# %%
def checked(x):
    if x < 0:
        raise ValueError(f"{x} is too small")
    return x
# %%
bj.build("case", checked, sample=-5)
