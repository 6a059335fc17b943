# title: an estimator of the notebook that keeps functions, a compiled pattern and a logger in fitted attributes
# expect: refused
# because: [lambda_1, "cell [2], line 11", method of Rules]
# check: ["clf.predict(['abc1', 'x'])"]
# %%
import logging, re
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
log = logging.getLogger("fit")
def score(text): return len(text)
class Rules(ClassifierMixin, BaseEstimator):
    def __init__(self, scorer=score, pattern=re.compile(r"\d")):
        self.scorer, self.pattern = scorer, pattern
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.rules_ = {"digit": lambda t: bool(self.pattern.search(t))}
        self.log_ = log
        return self
    def predict(self, X):
        self.log_.info("predicting")
        return np.array([self.classes_[int(self.rules_["digit"](t) and self.scorer(t) > 2)] for t in X])
clf = Rules().fit(["a"], ["no", "yes"])
# %%
bj.build("case", clf, sample=["abc", "xyz9"])
