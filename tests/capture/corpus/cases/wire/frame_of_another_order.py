# title: a frame with the same columns in another order
# expect: right
# check: ["first(df[['b', 'a']].tail(2)[['a', 'b']])"]
# refuses: ["first(df[['a']])", "first(df.assign(a='text'))"]
# %%
import pandas as pd
df = pd.DataFrame({"a": [1, 2, 3], "b": [0.5, 1.5, 2.5]})
def first(frame):
    return frame.iloc[:, 0] * 10 + frame["b"]
# %%
bj.build("case", first, sample=df)
