# title: sparse matrices, masked arrays, structured arrays, a fitted spline, a random state
# expect: right
# check: ["use(3)"]
# %%
import numpy as np, scipy.sparse as sp
from scipy.interpolate import CubicSpline
S = sp.random(50, 50, 0.1, random_state=0, format="csr")
M = np.ma.masked_greater(np.arange(200.0), 50)
R = np.array([(1, "a"), (2, "b")] * 400, dtype=[("n", "i4"), ("t", "U1")])
spline = CubicSpline(np.arange(10.0), np.arange(10.0) ** 2)
O = np.array([None, {"a": 1}, "x"], dtype=object)
F = np.asfortranarray(np.arange(2000.0).reshape(40, 50))
def use(i: int):
    return [float(S[i].sum()), float(M.sum()), int(R["n"].sum()), float(spline(i + 0.5)), O[1]["a"], bool(F.flags.f_contiguous)]
# %%
bj.build("case", use, sample=1)
