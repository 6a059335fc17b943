# title: operator getters, np.vectorize of a notebook function, a partial of a class
# expect: right
# check: ["f([{'a': 3, 'b': 1}, {'a': 1, 'b': 2}])"]
# %%
import functools, operator
import numpy as np
def bump(x): return x + STEP
STEP = 100
by_a = operator.itemgetter("a")
upper = operator.methodcaller("upper")
bumped = np.vectorize(bump)
class Pair:
    def __init__(self, left, right): self.left, self.right = left, right
with_left = functools.partial(Pair, 1)
def f(rows: list[dict]):
    rows = sorted(rows, key=by_a)
    return [rows, bumped(np.array([r["b"] for r in rows])).tolist(), upper("x"), with_left(2).right]
# %%
bj.build("case", f, sample=[{"a": 1, "b": 1}])
