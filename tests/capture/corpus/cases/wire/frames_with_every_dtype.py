# title: a frame with every dtype in and out, with missing values and an index
# expect: right
# check: ["echo(df.iloc[[3, 1]])"]
# %%
import numpy as np, pandas as pd
df = pd.DataFrame({
    "i8": np.array([1, 2, 3, 4], "int8"), "u64": np.array([2**63, 1, 2, 3], "uint64"), "f16": np.array([0.5, 1, 2, 3], "float16"),
    "f32": np.array([0.1, np.nan, 2, 3], "float32"), "b": [True, False, True, True], "s": ["a", None, "c", "d"],
    "cat": pd.Categorical(["x", None, "y", "x"], categories=["y", "x", "z"], ordered=True),
    "when": pd.to_datetime(["2024-01-01", None, "2024-01-03", "2024-01-04 12:00:00.123456789"], format="ISO8601"),
    "zoned": pd.date_range("2024-03-30", periods=4, freq="D", tz="Europe/Berlin"), "took": pd.to_timedelta([1, 2, None, 4], unit="min"),
    "Int": pd.array([1, None, 2**60, 4], dtype="Int64"), "boolean": pd.array([True, None, False, True], dtype="boolean"),
    "string": pd.array(["a", None, "c", "d"], dtype="string"),
}, index=["r1", "r2", "r3", "r4"])
def echo(frame):
    return frame
# %%
bj.build("case", echo, sample=df)
