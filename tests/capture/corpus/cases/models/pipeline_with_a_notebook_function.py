# title: a pipeline with FunctionTransformer of a notebook function, which uses a constant and a helper
# expect: right
# check: ["pipe.predict(X[100:120])", "pipe.predict_proba(X[50:53])"]
# %%
import numpy as np
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
X, y = load_iris(return_X_y=True)
LOW, HIGH = 0.5, 6.5
def limit(values):
    return np.clip(values, LOW, HIGH)
# %%
def clip(X):
    return limit(X)
# %%
pipe = make_pipeline(FunctionTransformer(clip), LogisticRegression(max_iter=500)).fit(X, y)
# %%
%bento_build case pipe --sample X[::40]
