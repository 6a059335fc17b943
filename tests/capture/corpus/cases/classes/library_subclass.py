# title: subclasses of library classes: dict, UserDict, Thread-free mixins, json.JSONEncoder
# expect: right
# check: ["dump({'when': 3})"]
# %%
import json
from collections import UserDict
class Attr(dict):
    __getattr__ = dict.__getitem__
class Lower(UserDict):
    def __setitem__(self, key, value): super().__setitem__(key.lower(), value)
class Encoder(json.JSONEncoder):
    def default(self, value): return f"<{type(value).__name__}>"
SETTINGS = Attr(a=1, b=Attr(c=2))
NAMES = Lower(A=1)
def dump(data: dict):
    return json.dumps({**data, "odd": {1}, "c": SETTINGS.b.c, "n": list(NAMES)}, cls=Encoder)
# %%
bj.build("case", dump, sample={"x": 1})
