# title: an object that was unpickled with an old class that is nowhere any more
# expect: either
# check: ["use(3)"]
# because: [Old]
# %%
import pickle
class Old:
    def value(self): return 5
thing = pickle.loads(pickle.dumps(Old()))
# %%
del Old
def use(x): return x + thing.value()
# %%
bj.build("case", use, sample=1)
