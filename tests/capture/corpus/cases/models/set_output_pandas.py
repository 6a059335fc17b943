# title: a transformer pipeline with set_output pandas, whose frame is the answer
# expect: right
# check: ["pipe.transform(df.iloc[3:9])"]
# %%
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.preprocessing import OneHotEncoder, StandardScaler
df = pd.DataFrame({"a": [1.0, 2, 3, 4, 5, 6, 7, 8, 9, 10], "b": list("xyzxyzxyzx")})
pipe = make_column_transformer((StandardScaler(), ["a"]), (OneHotEncoder(sparse_output=False), ["b"])).set_output(transform="pandas").fit(df)
# %%
%bento_build case pipe --sample df.head(3)
