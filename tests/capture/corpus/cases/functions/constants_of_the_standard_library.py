# title: datetime, Decimal, UUID, Fraction, Path and a compiled pattern as constants
# expect: right
# check: ["describe('ab12')", "describe('none')"]
# %%
import re, uuid
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePosixPath
from collections import Counter, OrderedDict, defaultdict, deque
START = datetime(2024, 2, 29, 12, 30, tzinfo=timezone.utc)
DAY = date(2024, 1, 1)
STEP = timedelta(days=1, seconds=5)
PRICE = Decimal("19.990")
ID = uuid.UUID("12345678123456781234567812345678")
RATIO = Fraction(1, 3)
DIGITS = re.compile(r"\d+", re.IGNORECASE)
WHERE = PurePosixPath("/srv/data")
COUNTS = Counter("abracadabra")
ORDER = OrderedDict(b=1, a=2)
LISTS = defaultdict(list, {"x": [1]})
QUEUE = deque([1, 2, 3], maxlen=3)
# %%
def describe(text):
    found = DIGITS.search(text)
    return {
        "when": (START + STEP).isoformat(), "day": DAY.isoformat(), "price": str(PRICE * 2), "id": str(ID),
        "ratio": str(RATIO + 1), "digits": found.group() if found else None, "where": str(WHERE / "x"),
        "a": COUNTS["a"], "order": list(ORDER), "missing": LISTS.get("y"), "lists": LISTS["x"],
        "queue": list(QUEUE), "maxlen": QUEUE.maxlen,
    }
# %%
bj.build("case", describe, sample="x7")
