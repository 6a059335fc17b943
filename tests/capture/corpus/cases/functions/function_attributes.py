# title: a function that reads attributes set on itself
# expect: right
# check: ["predict(3)"]
# %%
def predict(x):
    return x * predict.factor + predict.table["b"]
predict.factor = 7
predict.table = {"b": 100}
# %%
bj.build("case", predict, sample=1)
