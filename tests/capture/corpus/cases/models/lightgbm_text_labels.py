# title: LightGBM with text labels
# expect: right
# needs: lightgbm
# check: ["clf.predict(df.iloc[100:110])", "clf.predict_proba(df.iloc[:3])"]
# %%
import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.datasets import load_iris
data = load_iris(as_frame=True)
df = data.data.rename(columns=lambda name: name.split(" (")[0].replace(" ", "_"))
clf = LGBMClassifier(n_estimators=5, verbose=-1).fit(df, data.target_names[data.target])
# %%
%bento_build case clf --sample df.iloc[::40]
