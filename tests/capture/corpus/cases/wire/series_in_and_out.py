# title: a series in and out, with name and a date index
# expect: right
# check: ["cumulate(s.tail(4))"]
# %%
import pandas as pd
s = pd.Series([1.5, 2, 3, 4, 5, 6], index=pd.date_range("2024-01-01", periods=6, freq="D"), name="sales")
def cumulate(values):
    return values.cumsum()
# %%
bj.build("case", cumulate, sample=s.head(3))
