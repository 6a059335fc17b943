# title: input() in the function, which nobody answers on a server
# expect: refused
# because: [predict]
# %%
def predict(x):
    return x + len(input("more? "))
# %%
bj.build("case", predict, sample=1)
