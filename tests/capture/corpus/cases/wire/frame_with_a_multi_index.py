# title: a frame answer with two index levels and two column levels
# expect: either
# check: ["pivot(df.tail(5))"]
# because: [pivot]
# %%
import pandas as pd
df = pd.DataFrame({"a": list("aabbccab"), "b": list("xyxyxyxy"), "n": range(8)})
def pivot(frame):
    return frame.groupby(["a", "b"]).agg({"n": ["sum", "max"]})
# %%
bj.build("case", pivot, sample=df.head(4))
