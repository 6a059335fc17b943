# title: a grid search with a notebook function as its metric
# expect: right
# check: ["search.predict(X[100:120])"]
# %%
import numpy as np
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV
X, y = load_iris(return_X_y=True)
PENALTY = 0.1
def gain(truth, guess):
    return float(np.mean(truth == guess) - PENALTY * np.mean(guess == 0))
search = GridSearchCV(LogisticRegression(max_iter=800), {"C": [0.1, 1]}, scoring=make_scorer(gain), cv=3).fit(X, y)
# %%
%bento_build case search --sample X[::40]
