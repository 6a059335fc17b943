# title: XGBoost: a regressor, and a bare booster in a function
# expect: right
# needs: xgboost
# check: ["score(X[100:104].tolist())"]
# %%
import numpy as np, xgboost as xgb
from sklearn.datasets import load_diabetes
X, y = load_diabetes(return_X_y=True)
booster = xgb.train({"max_depth": 2}, xgb.DMatrix(X, y), 5)
def score(rows):
    return booster.predict(xgb.DMatrix(np.asarray(rows))).astype("float64").tolist()
# %%
bj.build("case", score, sample=X[:2].tolist())
