# title: dataclasses with defaults, factories, inheritance and frozen
# expect: right
# check: ["total(3)"]
# %%
from dataclasses import dataclass, field
@dataclass(frozen=True, order=True)
class Item:
    name: str
    price: float = 1.0
@dataclass
class Basket:
    items: list[Item] = field(default_factory=list)
    note: "str | None" = None
    def total(self): return sum(item.price for item in self.items)
@dataclass
class Gift(Basket):
    wrapped: bool = True
STANDARD = Item("standard", 2.5)
# %%
def total(n):
    gift = Gift([Item(str(i), i / 2) for i in range(n)] + [STANDARD])
    return [gift.total(), repr(min(gift.items)), gift.wrapped, gift.note]
# %%
bj.build("case", total, sample=2)
