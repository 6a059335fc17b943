# title: TransformedTargetRegressor with a lambda and a library function
# expect: right
# check: ["model.predict(X[10:20])"]
# %%
import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression
X, y = load_diabetes(return_X_y=True)
model = TransformedTargetRegressor(LinearRegression(), func=np.log, inverse_func=lambda v: np.exp(v)).fit(X, y)
# %%
%bento_build case model --sample X[:5]
