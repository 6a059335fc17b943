# title: a function defined in one of two branches
# expect: right
# check: [convert(3)]
# %%
import sys
if sys.version_info >= (3, 0):
    def convert(x):
        return f"new {x}"
else:
    def convert(x):
        return "old " + x
# %%
bj.build("case", convert, sample=1)
