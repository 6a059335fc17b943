# title: a sample with fewer columns than the model was fitted with
# expect: refused
# because: ["3", "4"]
# %%
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
X, y = load_iris(return_X_y=True)
clf = LogisticRegression(max_iter=500).fit(X, y)
# %%
%bento_build case clf --sample X[:5, :3]
