# title: the answer names the working directory
# expect: refused
# because: [f]
# %%
import os
def f(x): return [x, os.getcwd()]
# %%
bj.build("case", f, sample=1)
