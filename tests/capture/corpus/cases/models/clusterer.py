# title: a clusterer: int32 labels, predict and transform
# expect: right
# check: ["km.predict(X[50:60])", "km.transform(X[:2])"]
# %%
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris
X, _ = load_iris(return_X_y=True)
km = KMeans(3, n_init=2, random_state=0).fit(X)
# %%
%bento_build case km --sample X[::40] --endpoint predict --endpoint transform
