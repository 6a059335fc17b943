# title: a fitted model as a class attribute
# expect: right
# check: ["Classifier().classify([[5.0, 3.4, 1.5, 0.2]])"]
# %%
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
X, y = load_iris(return_X_y=True)
fitted = LogisticRegression(max_iter=500).fit(X, y)
class Classifier:
    model = fitted
    def classify(self, rows): return self.model.predict(rows).tolist()
# %%
bj.build("case", Classifier, sample=[[6.0, 3.0, 4.8, 1.8]])
