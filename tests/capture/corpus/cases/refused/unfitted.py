# title: an estimator that was not fitted
# expect: refused
# because: [LogisticRegression, fitted]
# %%
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
X, y = load_iris(return_X_y=True)
clf = LogisticRegression()
# %%
%bento_build case clf --sample X[:3]
