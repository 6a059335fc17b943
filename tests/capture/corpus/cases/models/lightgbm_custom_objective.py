# title: LGBMRegressor with an objective and a metric that are notebook functions
# expect: right
# needs: lightgbm
# check: ["model.predict(X[100:110])"]
# %%
import numpy as np
from lightgbm import LGBMRegressor
from sklearn.datasets import load_diabetes
X, y = load_diabetes(return_X_y=True)
DELTA = 2.0
def objective(truth, guess):
    return DELTA * (guess - truth), np.full_like(guess, DELTA)
model = LGBMRegressor(objective=objective, n_estimators=5, verbose=-1).fit(X, y)
# %%
%bento_build case model --sample X[:4]
