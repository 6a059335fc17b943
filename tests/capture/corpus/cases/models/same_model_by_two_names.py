# title: one fitted model under two names and in a dictionary
# expect: right
# check: ["answer([[1.0]])"]
# %%
import numpy as np
from sklearn.linear_model import LinearRegression
model = best = LinearRegression().fit(np.arange(5.0)[:, None], np.arange(5.0) * 2)
table = {"model": model}
def answer(rows):
    return [model is best, table["model"] is best, best.predict(np.asarray(rows)).round(6).tolist()]
# %%
bj.build("case", answer, sample=[[3.0]])
