# title: endpoint and parameters named as what service.py imports
# expect: either
# because: [notebook_code, rename]
# check: ["annotated(np=1, pd=2, bentoml=3, notebook_code=4, joblib=5)"]
# %%
def Typed(x): return x
Annotated = 7
def annotated(np, pd, bentoml, notebook_code, joblib):
    return [Typed(np), pd, bentoml, notebook_code, joblib, Annotated]
# %%
bj.build("case", annotated, sample={"np": 5, "pd": 4, "bentoml": 3, "notebook_code": 2, "joblib": 1})
