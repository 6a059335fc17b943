# title: empty arrays, lists and frames at the endpoint
# expect: right
# check: ["count(np.zeros((0, 2)))", "count(np.zeros((3, 2)))"]
# %%
import numpy as np
def count(rows):
    return {"rows": len(rows), "sum": float(rows.sum())}
# %%
bj.build("case", count, sample=np.ones((2, 2)))
