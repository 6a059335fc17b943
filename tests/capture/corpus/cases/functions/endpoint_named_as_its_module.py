# title: a function whose name a module has that it uses
# expect: right
# check: ["json({'a': 1})"]
# %%
import json as _json
def json(data: dict):
    return _json.dumps(data)
# %%
bj.build("case", json, sample={"b": 2})
