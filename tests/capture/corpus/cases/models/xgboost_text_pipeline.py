# title: XGBoost in a pipeline with a notebook function
# expect: right
# needs: xgboost
# check: ["pipe.predict(X[100:110])", "pipe.predict_proba(X[:3])"]
# %%
import numpy as np
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from xgboost import XGBClassifier
X, y = load_iris(return_X_y=True)
def logs(X): return np.log1p(X)
pipe = make_pipeline(FunctionTransformer(logs), XGBClassifier(n_estimators=5)).fit(X, y)
# %%
%bento_build case pipe --sample X[::40]
