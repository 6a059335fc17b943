# title: a class made by a factory, instances of which hold models and closures
# expect: either
# check: ["best.predict_one(3.0)"]
# because: [Best]
# %%
import numpy as np
from sklearn.linear_model import LinearRegression
def factory(models, pick):
    class Best:
        def predict_one(self, x: float) -> float:
            return round(float(pick([m.predict([[x]])[0] for m in models])), 6)
    return Best()
X = np.arange(6.0)[:, None]
best = factory((LinearRegression().fit(X, X[:, 0] * 2), LinearRegression().fit(X, X[:, 0] * 3)), lambda v: max(v))
# %%
bj.build("case", best, sample=1.0)
