# title: a huge frame and a key in globals that nothing on the path uses stay out
# expect: right
# check: [predict(3)]
# absent: [sk-proj-4f9aB2kQ7xLmN8pR3sT6vW1yZ5cD0eGh, big_frame, API_KEY]
# largest: 300000
# %%
import numpy as np, pandas as pd
API_KEY = "sk-proj-4f9aB2kQ7xLmN8pR3sT6vW1yZ5cD0eGh"
big_frame = pd.DataFrame(np.random.rand(200_000, 10))
K = 2
def train():
    return big_frame.sum(), API_KEY
def predict(x):
    return x * K
# %%
bj.build("case", predict, sample=1)
