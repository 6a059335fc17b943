# title: a pipeline with FunctionTransformer(lambda), two of them on one line
# expect: right
# check: ["pipe.predict(X[100:120])"]
# %%
import numpy as np
from sklearn.datasets import load_iris
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
X, y = load_iris(return_X_y=True)
pipe = make_pipeline(FunctionTransformer(lambda X: np.log1p(X)), FunctionTransformer(lambda X: np.sqrt(X)), KNeighborsClassifier(3)).fit(X, y)
# %%
%bento_build case pipe --sample X[::40]
