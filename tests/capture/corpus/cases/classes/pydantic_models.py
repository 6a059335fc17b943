# title: pydantic models of the notebook in and out, nested, with a validator
# expect: right
# check: ["quote(Order(items=[Item(name='a', price=2.5), Item(name='b', price=1)], code='X1'))"]
# %%
from pydantic import BaseModel, Field, field_validator
class Item(BaseModel):
    name: str
    price: float = Field(gt=0)
# %%
class Order(BaseModel):
    items: list[Item]
    code: str = "none"
    @field_validator("code")
    @classmethod
    def upper(cls, value: str) -> str:
        return value.upper()
class Quote(BaseModel):
    total: float
    code: str
# %%
def quote(order: Order) -> Quote:
    return Quote(total=sum(item.price for item in order.items), code=order.code)
# %%
bj.build("case", quote, sample=Order(items=[Item(name="x", price=3)], code="abc"))
