# title: two arrays and a number as parameters
# expect: right
# check: ["mix(np.array([1.0, 2.0]), np.array([3, 4]), 0.25)", "mix(a=np.array([5.0]), b=np.array([1]), share=1)"]
# %%
import numpy as np
def mix(a, b, share=0.5):
    return a * share + b * (1 - share)
# %%
bj.build("case", mix, sample={"a": np.array([1.0]), "b": np.array([2]), "share": 0.1})
