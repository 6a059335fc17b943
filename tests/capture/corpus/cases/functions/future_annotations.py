# title: from __future__ import annotations in the defining cell
# expect: right
# check: ["first(['b', 'a'])", "first([])"]
# %%
from __future__ import annotations
class Box:
    def open(self) -> Box | None:
        return self
def first(items: list[str]) -> str | None:
    box: Box = Box()
    return sorted(items)[0] if box.open() and items else None
# %%
bj.build("case", first, sample=["x"])
