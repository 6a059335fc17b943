# title: pydantic models that are used inside the function only
# expect: right
# check: ["parse({'a': '5', 'when': '2024-01-02'})"]
# %%
from datetime import date
from typing import Annotated, Literal, Optional
from pydantic import BaseModel, ConfigDict, Field
Positive = Annotated[int, Field(gt=0)]
class Row(BaseModel):
    model_config = ConfigDict(extra="forbid")
    a: Positive
    when: date
    kind: Literal["x", "y"] = "x"
    parent: Optional["Row"] = None
def parse(data: dict) -> dict:
    return Row(**data).model_dump(mode="json")
# %%
bj.build("case", parse, sample={"a": 1, "when": "2023-05-06"})
