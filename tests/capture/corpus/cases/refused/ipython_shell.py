# title: get_ipython in the function
# expect: refused
# because: [get_ipython, "cell [2]", "line 2"]
# %%
def predict(x):
    shell = get_ipython()
    return x + shell.execution_count * 0
# %%
bj.build("case", predict, sample=1)
