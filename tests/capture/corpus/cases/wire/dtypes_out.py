# title: arrays of int8, uint64, float16, float32, bool, text, datetime64, and three dimensions
# expect: right
# check: ["Types().make('int8')", "Types().make('uint64')"]
# %%
import numpy as np
class Types:
    def make(self, dtype: str) -> np.ndarray:
        return np.arange(6).reshape(1, 2, 3).astype(dtype if dtype in ("int8", "uint64") else "int8").astype("uint64")
# %%
bj.build("case", Types, sample="int8")
