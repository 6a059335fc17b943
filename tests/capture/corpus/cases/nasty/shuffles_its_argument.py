# title: a function that sorts the list and array it is given, in place
# expect: right
# check: ["f([3, 1, 2], np.array([2.0, 1.0]))"]
# %%
import numpy as np
values, array = [5, 4], np.array([9.0, 8.0])
def f(items: list[int], v: np.ndarray):
    items.sort()
    v.sort()
    return {"items": items, "v": v}
# %%
bj.build("case", f, sample=(values, array))
