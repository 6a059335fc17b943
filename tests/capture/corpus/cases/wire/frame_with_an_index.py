# title: a frame answer with a named text index and a computed column
# expect: right
# check: ["summary(df.tail(5))"]
# %%
import pandas as pd
df = pd.DataFrame({"city": list("aabbccab"), "x": range(8), "y": [0.5] * 8})
def summary(frame):
    return frame.groupby("city").agg({"x": "sum", "y": "mean"})
# %%
bj.build("case", summary, sample=df.head(4))
