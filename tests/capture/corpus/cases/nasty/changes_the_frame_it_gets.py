# title: a function that changes the frame it is given, in place: the notebook's sample stays as it is
# expect: right
# check: ["f(df.tail(2).copy())"]
# %%
import pandas as pd
df = pd.DataFrame({"a": [1, 2, 3], "b": [4, 5, 6]})
def f(frame):
    frame["c"] = frame["a"] * 10
    frame.drop(columns="b", inplace=True)
    return frame
# %%
bj.build("case", f, sample=df)
