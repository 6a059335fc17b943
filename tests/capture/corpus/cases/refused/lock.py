# title: a global lock
# expect: either
# check: [predict(2)]
# because: [guard]
# %%
import threading
guard = threading.Lock()
def predict(x):
    with guard:
        return x
# %%
bj.build("case", predict, sample=1)
