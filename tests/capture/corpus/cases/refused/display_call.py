# title: display() in the function: the served one has no notebook
# expect: either
# check: [predict(3)]
# because: [display]
# %%
def predict(x):
    display(x)
    return x + 1
# %%
bj.build("case", predict, sample=1)
