# title: CatBoost with text categories
# expect: right
# needs: catboost
# check: ["model.predict(df.iloc[20:30])", "model.predict_proba(df.iloc[:3])"]
# %%
import numpy as np, pandas as pd
from catboost import CatBoostClassifier
rng = np.random.default_rng(0)
df = pd.DataFrame({"size": rng.random(60), "kind": rng.choice(["x", "y"], 60)})
model = CatBoostClassifier(iterations=5, verbose=False, cat_features=["kind"], allow_writing_files=False).fit(df, np.where(df["size"] > 0.5, "big", "small"))
# %%
%bento_build case model --sample df.head(4)
