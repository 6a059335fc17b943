# title: only one of the methods, by --endpoint
# expect: right
# check: ["clf.predict_proba(X[50:60])"]
# %%
from sklearn.datasets import load_iris
from sklearn.svm import SVC
X, y = load_iris(return_X_y=True)
clf = SVC().fit(X, y)
from sklearn.linear_model import LogisticRegression
clf = LogisticRegression(max_iter=500).fit(X, y)
# %%
%bento_build case clf --sample X[::40] --endpoint predict_proba
