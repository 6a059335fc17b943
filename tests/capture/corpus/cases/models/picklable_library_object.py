# title: a picklable object of a library as the last resort, and a bytes constant with a pickle in it
# expect: right
# check: ["nearest([1.0, 1.2])"]
# %%
import numpy as np
from scipy.spatial import cKDTree
tree = cKDTree(np.random.default_rng(0).random((500, 2)))
def nearest(point):
    distance, index = tree.query(point)
    return [round(float(distance), 9), int(index)]
# %%
bj.build("case", nearest, sample=[0.5, 0.5])
