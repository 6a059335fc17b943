# title: a classifier with text labels
# expect: right
# check: ["clf.predict(X[100:140])", "clf.predict_proba(X[40:60])"]
# refuses: ["clf.predict(X[:3, :2])"]
# %%
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
data = load_iris()
X, y = data.data, data.target_names[data.target]
clf = LogisticRegression(max_iter=500).fit(X, y)
# %%
%bento_build case clf --sample X[::40]
