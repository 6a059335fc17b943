# title: a frame answer with a column twice
# expect: either
# check: ["f(df.tail(2))"]
# because: [column]
# %%
import pandas as pd
df = pd.DataFrame({"a": [1, 2, 3], "b": [4, 5, 6]})
def f(frame): return pd.concat([frame, frame["a"]], axis=1)
# %%
bj.build("case", f, sample=df)
