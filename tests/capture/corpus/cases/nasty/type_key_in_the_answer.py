# title: answers with a field called $type, as JSON of other programs has
# expect: right
# check: ["tagged('b')", "tagged('c')"]
# %%
def tagged(name: str) -> dict:
    shape = {"$type": "Shape, Geometry", "name": name, "inner": {"$type": {"of": name}, "sides": [3]}}
    return {"a": shape, "b": {"$type": name, "value": 1}, "c": {"other": [shape]}}[name]
# %%
bj.build("case", tagged, sample="a")
