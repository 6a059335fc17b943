# title: a bare LightGBM booster, trained with an objective function of the notebook
# expect: right
# needs: lightgbm
# check: ["booster.predict(X[100:110])"]
# %%
import lightgbm as lgb, numpy as np
from sklearn.datasets import load_diabetes
X, y = load_diabetes(return_X_y=True)
def squared(preds, data):
    return preds - data.get_label(), np.ones_like(preds)
booster = lgb.train({"objective": squared, "verbose": -1, "num_leaves": 4}, lgb.Dataset(X, y), 5)
# %%
%bento_build case booster --sample X[:4]
