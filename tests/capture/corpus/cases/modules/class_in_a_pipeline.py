# title: a pipeline with a transformer class of a module of the project
# expect: right
# check: ["pipe.predict(X[100:110])"]
# %%
%%writefile features.py
import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
class Ratio(BaseEstimator, TransformerMixin):
    def fit(self, X, y=None): return self
    def transform(self, X): return np.column_stack([X, X[:, 0] / X[:, 1]])
# %%
from features import Ratio
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
X, y = load_iris(return_X_y=True)
pipe = make_pipeline(Ratio(), LogisticRegression(max_iter=2000)).fit(X, y)
# %%
%bento_build case pipe --sample X[::40]
