"""Columns, row labels and arrays of every kind, for tests."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

numbers = st.sampled_from(
    [
        "bool",
        *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
        "float16",
        "float32",
        "float64",
    ]
)
shapes = npst.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=5)


column_values: dict[str, st.SearchStrategy[Any]] = {
    "Int64": st.integers(-(2**63), 2**63 - 1),
    "UInt8": st.integers(0, 255),
    "Float64": st.floats(allow_nan=False),
    "boolean": st.booleans(),
    "string": st.text(),
    "str": st.text(),
    "object": st.one_of(st.text(), st.booleans(), st.integers()),
    "datetime64[ns]": st.datetimes(
        min_value=pd.Timestamp("1700-01-01"), max_value=pd.Timestamp("2200-01-01")
    ),
    "datetime64[s, Europe/Berlin]": st.datetimes(
        min_value=pd.Timestamp("1950-01-01"),
        max_value=pd.Timestamp("2200-01-01"),
        timezones=st.just(pd.Timestamp("2000-01-01", tz="UTC").tz),
    ).map(lambda moment: moment.replace(microsecond=0)),
    "timedelta64[ms]": st.timedeltas(
        pd.Timedelta("-36500D").to_pytimedelta(), pd.Timedelta("36500D").to_pytimedelta()
    ).map(lambda span: span - span % pd.Timedelta(1, "ms").to_pytimedelta()),
    "category": st.sampled_from(["a", "b", "c"]),
}
if pd.Series(dtype="str").dtype == object:  # before pandas 3 there is no such dtype
    del column_values["str"]


INDEXES = [
    pd.Index(["b", "a"], name="key"),
    pd.Index([3, 1]),
    pd.RangeIndex(5, 7),
    pd.RangeIndex(2, name="n"),
    pd.Index([0.5, math.nan]),
    pd.DatetimeIndex(["2024-01-01", "2024-01-02"], freq="D"),
    pd.DatetimeIndex(["2024-01-01", None], tz="Asia/Tokyo", name="at"),
    pd.CategoricalIndex(["x", "y"], ordered=True),
    pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["k", None]),
]
