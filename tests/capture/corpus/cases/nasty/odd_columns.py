# title: frames with integer column names, duplicated ones, and none at all
# expect: either
# check: ["f(df.tail(2))"]
# because: [column]
# %%
import pandas as pd
df = pd.DataFrame([[1, 2.0, "a"], [3, 4.0, "b"], [5, 6.0, "c"]], columns=[0, 1, "x"])
def f(frame): return frame[[1, 0]]
# %%
bj.build("case", f, sample=df)
