# title: several objects as a list, of which the function does not use one
# expect: right
# check: ["predict([3.0])"]
# %%
import numpy as np
w = np.array([2.0])
unused = np.array([5.0])
def predict(v: list[float]) -> float:
    return float(np.asarray(v) @ w)
# %%
bj.build("case", [predict, w, unused], sample=[1.0])
