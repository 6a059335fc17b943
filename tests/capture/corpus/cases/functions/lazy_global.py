# title: a global that the function itself sets at its first call
# expect: right
# check: ["predict(12)"]
# kernel: changes
# %%
_model = None
def load():
    global _model
    if _model is None:
        _model = {"bias": 10}
    return _model
def predict(x):
    return x + load()["bias"]
# %%
bj.build("case", predict, sample=5)
