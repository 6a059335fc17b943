# title: FunctionTransformer with kw_args that hold a notebook function and an array
# expect: right
# check: ["pipe.predict(X[100:120])"]
# %%
import numpy as np
from sklearn.datasets import load_iris
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
X, y = load_iris(return_X_y=True)
def bend(v): return v ** 1.5
def weigh(X, weights, then): return then(X * weights)
pipe = make_pipeline(FunctionTransformer(weigh, kw_args={"weights": np.array([1.0, 2, 3, 4]), "then": bend}), Ridge()).fit(X, y)
# %%
%bento_build case pipe --sample X[::40]
