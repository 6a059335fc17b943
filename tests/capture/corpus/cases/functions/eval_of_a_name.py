# title: eval of an expression that names a helper
# expect: either
# check: ["compute('3 + 4')"]
# because: [compute]
# %%
OFFSET = 100
def compute(expression):
    return eval(expression) + eval("OFFSET")
# %%
bj.build("case", compute, sample="1 + 1")
