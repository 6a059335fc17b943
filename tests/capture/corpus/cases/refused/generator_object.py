# title: a running generator in a global
# expect: refused
# because: [numbers]
# %%
numbers = (i * i for i in range(100))
def predict(x):
    return x + next(numbers)
# %%
bj.build("case", predict, sample=1)
