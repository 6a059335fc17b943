# title: a thread pool in a global
# expect: refused
# because: [pool]
# %%
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(2)
def predict(x):
    return pool.submit(abs, x).result()
# %%
bj.build("case", predict, sample=-1)
