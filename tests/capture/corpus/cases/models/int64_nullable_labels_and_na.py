# title: labels of text, features with NaN, a HistGradientBoosting model with a category column
# expect: right
# check: ["model.predict(df.iloc[10:20])", "model.predict_proba(df.iloc[0:2])"]
# %%
import numpy as np, pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
rng = np.random.default_rng(1)
df = pd.DataFrame({"size": rng.random(60), "kind": pd.Categorical(rng.choice(list("abc"), 60), categories=["c", "b", "a"])})
df.loc[::5, "size"] = np.nan
model = HistGradientBoostingClassifier(max_iter=5, categorical_features="from_dtype", random_state=0).fit(df, np.where(df.kind == "a", "yes", "no"))
# %%
%bento_build case model --sample df.head(4)
