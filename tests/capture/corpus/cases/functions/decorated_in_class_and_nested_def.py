# title: a function defined inside with, for and try blocks
# expect: right
# check: ["final(3)"]
# %%
import contextlib
with contextlib.suppress(ZeroDivisionError):
    for suffix in ("a", "b"):
        try:
            def final(x, suffix=suffix):
                return f"{x}{suffix}"
        finally:
            pass
# %%
bj.build("case", final, sample={"x": 1})
