# title: a method that the notebook has added to DataFrame
# expect: either
# check: ["f(df.tail(2))"]
# because: [double_up]
# %%
import pandas as pd
df = pd.DataFrame({"a": [1, 2, 3]})
def double_up(self): return self * 2
pd.DataFrame.double_up = double_up
def f(frame): return frame.double_up()
# %%
bj.build("case", f, sample=df.head(2))
