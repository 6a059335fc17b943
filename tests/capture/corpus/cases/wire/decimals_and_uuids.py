# title: Decimal, UUID and date inside a dictionary as the answer
# expect: either
# check: ["make(3)"]
# because: [make]
# %%
import uuid
from datetime import date
from decimal import Decimal
def make(n: int):
    return {"price": Decimal("0.10") * n, "id": uuid.UUID(int=n), "day": date(2024, 1, n)}
# %%
bj.build("case", make, sample=1)
