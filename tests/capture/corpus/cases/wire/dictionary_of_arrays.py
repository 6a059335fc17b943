# title: a dictionary of arrays, frames and numpy scalars
# expect: right
# check: ["make(4)"]
# %%
import numpy as np, pandas as pd
def make(n: int):
    return {"x": np.arange(n, dtype="int16"), "m": np.eye(2, dtype="float32"), "f": pd.DataFrame({"a": range(n)}), "s": np.float64(n) / 3, "i": np.int64(n), "flag": np.bool_(True)}
# %%
bj.build("case", make, sample=2)
