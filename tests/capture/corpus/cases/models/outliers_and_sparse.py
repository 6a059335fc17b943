# title: an isolation forest; score_samples and decision_function
# expect: right
# check: ["model.predict(X[50:60])", "model.decision_function(X[:2])"]
# %%
from sklearn.datasets import load_iris
from sklearn.ensemble import IsolationForest
X, _ = load_iris(return_X_y=True)
model = IsolationForest(n_estimators=10, random_state=0).fit(X)
# %%
%bento_build case model --sample X[::40]
