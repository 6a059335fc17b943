# title: a function that raises its own exception for bad input
# expect: right
# check: ["checked(3)"]
# raises: ["checked(-1)"]
# %%
class TooSmall(ValueError):
    pass
def checked(x: int) -> int:
    if x < 0:
        raise TooSmall(f"{x} is too small")
    return x
# %%
bj.build("case", checked, sample=1)
