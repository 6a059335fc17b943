# title: an answer that depends on the other rows of the request
# expect: right
# check: ["ranks(np.array([3.0, 1.0, 2.0]))"]
# %%
import numpy as np
def ranks(values):
    return values.argsort().argsort()
# %%
bj.build("case", ranks, sample=np.array([5.0, 4.0]))
