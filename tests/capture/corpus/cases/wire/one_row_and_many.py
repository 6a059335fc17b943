# title: a function that answers otherwise for one row than for many
# expect: right
# check: ["squeeze(np.array([[1.0, 2.0]]))", "squeeze(np.array([[1.0, 2.0], [3.0, 4.0]]))"]
# %%
import numpy as np
def squeeze(rows):
    return rows.sum(axis=1).squeeze()
# %%
bj.build("case", squeeze, sample=np.array([[1.0, 2.0], [5.0, 6.0]]))
