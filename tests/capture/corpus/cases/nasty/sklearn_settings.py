# title: sklearn.set_config(transform_output='pandas') in a cell, and a function that counts on it
# expect: either
# check: ["pipe.predict(df.tail(3))"]
# because: [predict]
# %%
import pandas as pd, sklearn
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
sklearn.set_config(transform_output="pandas")
df = pd.DataFrame({"a": [1.0, 2, 3, 4, 6], "b": [4.0, 3, 2, 9, 1]})
def ratio(frame): return frame.assign(r=frame["a"] - frame["b"])
pipe = make_pipeline(StandardScaler(), FunctionTransformer(ratio), LinearRegression()).fit(df, df.a)
# %%
%bento_build case pipe --sample df.head(2)
