# title: an imbalanced-learn pipeline with a notebook transformer
# expect: right
# needs: imblearn
# check: ["pipe.predict(X[100:120])"]
# %%
import numpy as np
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer
X, y = load_iris(return_X_y=True)
def squares(X): return np.hstack([X, X ** 2])
pipe = make_pipeline(RandomOverSampler(random_state=0), FunctionTransformer(squares), LogisticRegression(max_iter=5000)).fit(X[:120], y[:120])
# %%
%bento_build case pipe --sample X[::40]
