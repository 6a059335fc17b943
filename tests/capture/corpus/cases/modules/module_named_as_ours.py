# title: modules of the project named as those the Bento has: service, models and codec
# expect: either
# check: ["predict(4)"]
# because: [rename]
# %%
from pathlib import Path
Path("service.py").write_text("def f(x): return x + 1\n")
Path("codec.py").write_text("K = 5\n")
# %%
import service, codec
def predict(x):
    return service.f(x) * codec.K
# %%
bj.build("case", predict, sample=1)
