# title: the transformer class was redefined after the pipeline was fitted
# expect: right
# check: ["pipe.predict(X[100:120])"]
# %%
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
X, y = load_iris(return_X_y=True)
class Shift(BaseEstimator, TransformerMixin):
    def fit(self, X, y=None): return self
    def transform(self, X): return X + 1
pipe = make_pipeline(Shift(), LogisticRegression(max_iter=2000)).fit(X, y)
# %%
class Shift(BaseEstimator, TransformerMixin):
    def fit(self, X, y=None): return self
    def transform(self, X): return X * 0
# %%
%bento_build case pipe --sample X[::40]
