# title: a service whose constructor uses a fitted model of the notebook; arrays and frames in and out
# expect: right
# check: ["Iris().classify(X[50:53])", "Iris().table(df.head(2))"]
# %%
import bentoml, numpy as np, pandas as pd
from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeClassifier
X, y = load_iris(return_X_y=True)
clf = DecisionTreeClassifier(random_state=0).fit(X, y)
df = pd.DataFrame(X, columns=list("abcd"))
# %%
@bentoml.service
class Iris:
    def __init__(self):
        self.model = clf
    @bentoml.api
    def classify(self, rows: np.ndarray) -> np.ndarray:
        return self.model.predict(rows)
    @bentoml.api
    def table(self, frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(kind=self.model.predict(frame.to_numpy()))
# %%
bj.build("case", Iris, sample={"classify": X[::60], "table": df.iloc[::70]})
