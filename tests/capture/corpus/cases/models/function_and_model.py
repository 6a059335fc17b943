# title: a function with a model and a scaler from other cells: all by the function
# expect: right
# check: ["classify([[5.9, 3.0, 5.1, 1.8], [4.6, 3.1, 1.5, 0.2]])"]
# %%
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
data = load_iris()
scaler = StandardScaler().fit(data.data)
clf = LogisticRegression().fit(scaler.transform(data.data), data.target)
NAMES = list(data.target_names)
# %%
def classify(rows: list[list[float]]) -> list[dict]:
    proba = clf.predict_proba(scaler.transform(rows))
    return [{"label": str(NAMES[p.argmax()]), "score": round(float(p.max()), 6)} for p in proba]
# %%
%bento_build case classify --sample [[5.1,3.5,1.4,0.2]]
