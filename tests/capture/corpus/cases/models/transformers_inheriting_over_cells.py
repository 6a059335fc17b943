# title: transformer classes that inherit from each other over two cells
# expect: right
# check: ["pipe.predict(X[100:120])"]
# %%
import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Lasso
from sklearn.pipeline import Pipeline
X, y = load_diabetes(return_X_y=True)
class Base(BaseEstimator, TransformerMixin):
    def fit(self, X, y=None): return self
    def transform(self, X): return self.change(X)
# %%
class Squares(Base):
    def __init__(self, power=2): self.power = power
    def change(self, X): return np.hstack([X, np.abs(X) ** self.power])
# %%
pipe = Pipeline([("squares", Squares(3)), ("lasso", Lasso(0.1))]).fit(X, y)
# %%
%bento_build case pipe --sample X[:4]
