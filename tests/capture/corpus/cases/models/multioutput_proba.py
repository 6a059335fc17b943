# title: a multi-output classifier, whose predict_proba is a list of arrays
# expect: right
# check: ["model.predict(X[20:25])", "model.predict_proba(X[20:25])"]
# %%
from sklearn.datasets import make_multilabel_classification
from sklearn.tree import DecisionTreeClassifier
X, y = make_multilabel_classification(80, 5, n_classes=3, random_state=0)
model = DecisionTreeClassifier(max_depth=3, random_state=0).fit(X, y)
# %%
%bento_build case model --sample X[:3]
