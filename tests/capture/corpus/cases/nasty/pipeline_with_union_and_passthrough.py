# title: FeatureUnion, passthrough, a random state object and notebook functions deep in a search
# expect: right
# check: ["search.predict(X[100:110])"]
# %%
import numpy as np
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import RandomizedSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer
X, y = load_iris(return_X_y=True)
POWERS = (2, 3)
def powers(X, which=POWERS): return np.hstack([X ** p for p in which])
pipe = Pipeline([
    ("features", FeatureUnion([("same", "passthrough"), ("powers", FunctionTransformer(powers, kw_args={"which": (2,)})), ("logs", FunctionTransformer(lambda X: np.log1p(X)))])),
    ("forest", RandomForestClassifier(5, random_state=np.random.RandomState(0))),
])
search = RandomizedSearchCV(pipe, {"forest__max_depth": [2, 3]}, n_iter=2, cv=2, random_state=0).fit(X, y)
# %%
%bento_build case search --sample X[::40]
