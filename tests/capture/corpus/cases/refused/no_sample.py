# title: a model without a sample
# expect: refused
# because: [sample]
# %%
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
X, y = load_iris(return_X_y=True)
clf = LogisticRegression(max_iter=500).fit(X, y)
# %%
bj.build("case", clf)
