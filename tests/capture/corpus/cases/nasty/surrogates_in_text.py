# title: text that UTF-8 cannot carry, and control characters
# expect: either
# check: ["f('a')"]
# because: [f]
# %%
def f(x: str) -> list[str]:
    return [x, "\x00\x1f\u2028", "\ud800"]
# %%
bj.build("case", f, sample="b")
