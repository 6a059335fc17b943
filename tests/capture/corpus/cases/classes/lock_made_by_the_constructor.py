# title: a class whose constructor makes a lock: it is made anew where it is served
# expect: right
# check: ["Safe().add(3)"]
# %%
import threading
class Safe:
    def __init__(self): self.lock = threading.RLock()
    def add(self, x):
        with self.lock:
            return x + 1
# %%
bj.build("case", Safe, sample=1)
