# title: a service with pydantic models of the notebook in and out, and an Optional
# expect: right
# check: ["Shop().quote(Cart(lines=[Line(sku='a', count=2)], note='hi'))"]
# %%
from typing import Optional
import bentoml
from pydantic import BaseModel, Field
PRICES = {"a": 2.5, "b": 10.0}
class Line(BaseModel):
    sku: str
    count: int = Field(ge=1)
class Cart(BaseModel):
    lines: list[Line]
    note: Optional[str] = None
class Total(BaseModel):
    total: float
    note: Optional[str] = None
# %%
@bentoml.service
class Shop:
    @bentoml.api
    def quote(self, cart: Cart) -> Total:
        return Total(total=sum(PRICES[l.sku] * l.count for l in cart.lines), note=cart.note)
# %%
bj.build("case", Shop, sample={"quote": Cart(lines=[Line(sku="b", count=1)])})
