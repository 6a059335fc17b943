# title: a namespace package without __init__
# expect: right
# check: ["predict(4)"]
# %%
from pathlib import Path
Path("spaces/inner").mkdir(parents=True)
Path("spaces/inner/maths.py").write_text("from spaces.base import K\ndef f(x): return x * K\n")
Path("spaces/base.py").write_text("K = 6\n")
# %%
import spaces.inner.maths
def predict(x):
    return spaces.inner.maths.f(x)
# %%
bj.build("case", predict, sample=1)
