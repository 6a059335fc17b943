# title: a fitted model as a default argument
# expect: right
# check: ["predict([[5.0, 3.4, 1.5, 0.2]])"]
# %%
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
X, y = load_iris(return_X_y=True)
clf = LogisticRegression(max_iter=500).fit(X, y)
# %%
def predict(rows, model=clf, names=("setosa", "versicolor", "virginica")):
    return [names[i] for i in model.predict(rows)]
# %%
bj.build("case", predict, sample={"rows": [[6.0, 3.0, 4.8, 1.8]]})
