# title: Literal, list[int], dict[str, float] and a union as parameters
# expect: right
# check: ["pick('b', [3, 4], {'w': 0.5}, 'text')", "pick('a', [], {}, 5)"]
# refuses: ["pick('z', [3], {}, 1)"]
# %%
from typing import Literal, Union
def pick(kind: Literal["a", "b"], values: list[int], weights: dict[str, float], other: Union[int, str]):
    return [kind, sum(values), weights, other]
# %%
bj.build("case", pick, sample={"kind": "a", "values": [1], "weights": {"x": 1.0}, "other": 1})
