# title: the cell that defined the helper was deleted from the notebook
# expect: right
# check: [shout("abc")]
# %% [gone] deleted
def upper(text):
    return text.upper() + MARK
MARK = "!"
# %%
def shout(text):
    return upper(text)
# %%
bj.build("case", shout, sample="hey")
