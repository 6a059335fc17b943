# title: random numbers that are seeded in the function
# expect: right
# check: ["sample(5)"]
# %%
import random, numpy as np
SEED = 7
def sample(n):
    rng = np.random.default_rng(SEED)
    random.seed(SEED)
    return [rng.integers(0, 100, n).tolist(), [random.randint(0, 9) for _ in range(n)]]
# %%
bj.build("case", sample, sample=3)
