# title: parameters named as libraries that service.py may import
# expect: right
# check: ["annotated(np=1, pd=2, bentoml=3, Path=4)"]
# %%
def Typed(x): return x
Annotated = 7
def annotated(np, pd, bentoml, Path):
    return [Typed(np), pd, bentoml, Path, Annotated]
# %%
bj.build("case", annotated, sample={"np": 5, "pd": 4, "bentoml": 3, "Path": 2})
