# title: an ensemble of three models in a list, in a function
# expect: right
# check: ["vote(X[70:80])"]
# %%
import numpy as np
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier
X, y = load_iris(return_X_y=True)
members = [m.fit(X, y) for m in (LogisticRegression(max_iter=500), GaussianNB(), DecisionTreeClassifier(random_state=0))]
def vote(rows):
    votes = np.stack([m.predict(rows) for m in members])
    return np.apply_along_axis(lambda v: np.bincount(v).argmax(), 0, votes)
# %%
bj.build("case", vote, sample=X[::50])
