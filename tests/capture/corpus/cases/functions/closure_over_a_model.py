# title: a function with a fitted model in its closure
# expect: right
# check: ["classify(X[60:65])"]
# %%
from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeClassifier
X, y = load_iris(return_X_y=True)
def make(model, names):
    def classify(rows):
        return [names[i] for i in model.predict(rows)]
    return classify
classify = make(DecisionTreeClassifier(random_state=0).fit(X, y), load_iris().target_names.tolist())
# %%
bj.build("case", classify, sample=X[::50])
