# title: nearest neighbours with a distance function of the notebook
# expect: right
# check: ["knn.predict(X[100:104])"]
# %%
import numpy as np
from sklearn.datasets import load_iris
from sklearn.neighbors import KNeighborsClassifier
X, y = load_iris(return_X_y=True)
W = np.array([1.0, 2.0, 3.0, 4.0])
def distance(a, b): return float(np.sum(W * np.abs(a - b)))
knn = KNeighborsClassifier(3, metric=distance).fit(X, y)
# %%
%bento_build case knn --sample X[::50]
