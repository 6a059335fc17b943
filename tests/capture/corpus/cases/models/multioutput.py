# title: a multi-output regressor, on float32
# expect: right
# check: ["model.predict(X[20:25])"]
# %%
import numpy as np
from sklearn.datasets import make_regression
from sklearn.ensemble import RandomForestRegressor
X, y = make_regression(80, 5, n_targets=3, random_state=0)
X = X.astype("float32")
model = RandomForestRegressor(5, random_state=0).fit(X, y)
# %%
%bento_build case model --sample X[:3]
