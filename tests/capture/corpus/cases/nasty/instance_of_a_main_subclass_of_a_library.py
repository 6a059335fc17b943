# title: subclasses of ndarray, DataFrame and str as constants
# expect: right
# check: ["f(3)"]
# %%
import numpy as np, pandas as pd
class Named(np.ndarray):
    def __new__(cls, values, label):
        obj = np.asarray(values, float).view(cls)
        obj.label = label
        return obj
    def __array_finalize__(self, obj): self.label = getattr(obj, "label", None)
    def __reduce__(self):
        maker, args, state = super().__reduce__()
        return maker, args, (*state, self.label)
    def __setstate__(self, state):
        self.label = state[-1]
        super().__setstate__(state[:-1])
class Shout(str):
    def loud(self): return self.upper() + "!"
class Table(pd.DataFrame):
    _metadata = ["note"]
    @property
    def _constructor(self): return Table
N, S, T = Named(range(1000), "n"), Shout("hey"), Table({"a": range(1000)})
def f(x): return [N.label, float(N[x]), S.loud(), type(T).__name__, int(T["a"][x])]
# %%
bj.build("case", f, sample=1)
