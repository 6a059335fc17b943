# title: a pipeline whose last step is not fitted
# expect: refused
# because: [fitted]
# %%
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
X, y = load_iris(return_X_y=True)
pipe = make_pipeline(StandardScaler().fit(X), LogisticRegression())
# %%
%bento_build case pipe --sample X[:3]
