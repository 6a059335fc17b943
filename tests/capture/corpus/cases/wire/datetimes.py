# title: datetime, date, time, timedelta, Decimal and UUID in and out
# expect: right
# check: ["shift(datetime(2024, 3, 31, 1, 30, tzinfo=timezone.utc), timedelta(hours=2))"]
# %%
from datetime import datetime, date, timedelta, timezone
def shift(when: datetime, by: timedelta) -> datetime:
    return when + by
# %%
bj.build("case", shift, sample=(datetime(2023, 1, 1, tzinfo=timezone.utc), timedelta(days=1)))
