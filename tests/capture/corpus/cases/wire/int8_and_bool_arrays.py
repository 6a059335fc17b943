# title: int8 in, bool out, any number of rows
# expect: right
# check: ["positive(np.array([[1, -1], [-128, 127], [0, 5]], 'int8'))"]
# refuses: ["positive(np.array([[1, 2, 3]], 'int8'))"]
# %%
import numpy as np
def positive(m):
    return m > 0
# %%
bj.build("case", positive, sample=np.array([[1, 2]], "int8"))
