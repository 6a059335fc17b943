# title: hints that leave it open: Any, object, a bare list and a bare dict
# expect: right
# check: ["echo('x', {'a': [1]}, ['b', 2.5, None], {'k': 'v'})", "echo([1, {}], None, [], {})"]
# %%
from typing import Any
def echo(a: Any, b: object, c: list, d: dict) -> list:
    return [a, b, c, d]
# %%
bj.build("case", echo, sample={"a": 1, "b": 2, "c": [1], "d": {"x": 1}})
