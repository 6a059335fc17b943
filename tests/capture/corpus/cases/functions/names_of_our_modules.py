# title: helpers named as the modules of the project are
# expect: right
# check: ["predict(3)"]
# %%
def codec(x): return x + 1
def service(x): return codec(x) * 2
models = {"a": 10}
HERE = "here"
folder = "folder"
Path = "path"
bentoml = "not the library"
endpoints = ["e"]
notebook_code = 5
# %%
def load(x): return x + notebook_code
def predict(x):
    return [service(x), models["a"], HERE, folder, Path, bentoml, endpoints, load(x)]
# %%
bj.build("case", predict, sample=1)
