# title: an own context manager by contextlib
# expect: right
# check: ["run(4)"]
# %%
from contextlib import contextmanager
@contextmanager
def collecting():
    items = []
    yield items
    items.append("end")
# %%
def run(x):
    with collecting() as items:
        items.append(x)
    return items
# %%
bj.build("case", run, sample=1)
