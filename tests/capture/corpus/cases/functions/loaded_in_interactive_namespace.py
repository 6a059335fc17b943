# title: a script run with %run -i, which uses a variable of the notebook
# expect: right
# check: [shifted(4)]
# %%
%%writefile more.py
def shifted(x):
    return x + SHIFT
# %%
SHIFT = 11
%run -i more.py
# %%
bj.build("case", shifted, sample=1)
