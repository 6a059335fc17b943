# title: model, preprocessor and function named together; the function is the endpoint
# expect: right
# check: ["predict(df.iloc[20:30])"]
# %%
import numpy as np, pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
rng = np.random.default_rng(1)
df = pd.DataFrame({"a": rng.random(60), "b": rng.random(60)})
scaler = StandardScaler().fit(df)
clf = LogisticRegression().fit(scaler.transform(df), np.where(df.a > df.b, "left", "right"))
def predict(frame):
    return pd.Series(clf.predict(scaler.transform(frame)), index=frame.index, name="side")
# %%
%bento_build case predict clf scaler --sample df.head(3)
