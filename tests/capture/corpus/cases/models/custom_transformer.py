# title: a transformer class of the notebook, in a pipeline
# expect: right
# check: ["pipe.predict(X[100:120])", "pipe.predict_proba(X[3:4])"]
# %%
import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
X, y = load_iris(return_X_y=True)
EPS = 1e-9
class AddRatio(TransformerMixin, BaseEstimator):
    """Adds the ratio of two columns."""
    def __init__(self, a=0, b=1): self.a, self.b = a, b
    def fit(self, X, y=None):
        self.scale_ = float(np.mean(X[:, self.a]))
        return self
    def transform(self, X):
        return np.column_stack([X, X[:, self.a] / (X[:, self.b] + EPS) / self.scale_])
# %%
pipe = make_pipeline(AddRatio(2, 3), LogisticRegression(max_iter=2000)).fit(X, y)
# %%
%bento_build case pipe --sample X[::40]
