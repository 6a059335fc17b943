# title: a thread in a global
# expect: refused
# because: [worker]
# %%
import threading
worker = threading.Thread(target=print)
def predict(x):
    return [x, worker.is_alive()]
# %%
bj.build("case", predict, sample=1)
