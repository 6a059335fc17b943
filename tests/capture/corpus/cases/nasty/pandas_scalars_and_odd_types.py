# title: Timestamp, NaT, NA, Period, Interval, complex and Counter as answers
# expect: either
# check: ["f('stamp')", "f('counter')", "f('na')"]
# because: [f]
# %%
import pandas as pd
from collections import Counter
def f(kind: str):
    return {"stamp": pd.Timestamp("2024-01-01 12:00", tz="UTC"), "na": pd.NA, "complex": 1 + 2j, "counter": Counter("aab")}[kind]
# %%
bj.build("case", f, sample="stamp")
