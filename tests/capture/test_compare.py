"""Comparing answers: the same is the same, and what differs is named."""

from __future__ import annotations

import copy
import datetime as dt
import enum
import math
import uuid
from collections import namedtuple
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from bento_jupyter.capture.proof.compare import NOISE, TOLERANCE, compare


class Person(BaseModel):
    name: str
    born: dt.date
    parents: list[Person] = []


@dataclass
class Point:
    x: float
    label: str = "p"


class Colour(enum.Enum):
    RED = "red"


Pair = namedtuple("Pair", "left right")
NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.timezone.utc)
FRAME = pd.DataFrame({"age": [31, 45], "city": ["Oslo", "Lima"]})


def image(mode: str = "RGB", colour: Any = (1, 2, 3)) -> Any:
    from PIL import Image

    return Image.new(mode, (4, 3), colour)


def tensor(*values: float) -> Any:
    import torch

    return torch.tensor(values)


def sparse(values: Any) -> Any:
    from scipy.sparse import csr_matrix

    return csr_matrix(values)


def polars(**columns: Any) -> Any:
    import polars

    return polars.DataFrame(columns)


SAME = {
    "nan in floats": (np.array([1.0, np.nan, np.inf]), np.array([1.0, np.nan, np.inf])),
    "nan in objects": (np.array(["a", math.nan], dtype=object), np.array(["a", math.nan], dtype=object)),
    "nan as a scalar": (math.nan, np.float64("nan")),
    "floats within the tolerance": (np.array([1.0]), np.array([1.0 + TOLERANCE / 2])),
    "float32 one digit off": (np.float32(0.1), np.nextafter(np.float32(0.1), np.float32(1))),
    "what is left of a sum": (np.array([1e3, 1e-14, 0.0]), np.array([1e3, 3e-14, -1e-13])),
    "python and numpy numbers": ([1, 2.5, True], [np.int64(1), np.float64(2.5), np.bool_(True)]),
    "times without a value": (np.array(["NaT", "2024"], "M8[s]"), np.array(["NaT", "2024"], "M8[s]")),
    "texts of other widths": (np.array(["a", "bcd"])[:1], np.array(["a"])),
    "the other byte order": (np.array([1, 2], dtype=">i4"), np.array([1, 2], dtype="<i4")),
    "structured": (np.array([(1, 2.0)], dtype="i4,f8"), np.array([(1, 2.0)], dtype="i4,f8")),
    "complex": (np.array([1 + 2j]), np.array([1 + 2j])),
    "a range as an index": (FRAME, FRAME.set_index(pd.Index([0, 1]))),
    "NA": (pd.array([1, None], dtype="Int64"), pd.array([1, None], dtype="Int64")),
    "a tuple as a list": ((1, (2, 3)), [1, [2, 3]]),
    "a set as a list": ({1, 2}, [2, 1]),
    "a model as its JSON": (
        Person(name="Ann", born=dt.date(1990, 1, 2), parents=[Person(name="Bo", born=dt.date(1960, 1, 2))]),
        {
            "name": "Ann",
            "born": "1990-01-02",
            "parents": [{"name": "Bo", "born": "1960-01-02", "parents": []}],
        },
    ),
    "models": (Person(name="A", born=dt.date.min), Person(name="A", born=dt.date.min)),
    "a dataclass as its fields": (Point(1.5), {"x": 1.5, "label": "p"}),
    "dataclasses with NaN": (Point(math.nan), Point(math.nan)),
    "a named tuple as its fields": (Pair(1, 2), {"left": 1, "right": 2}),
    "an enum as its value": ([Colour.RED], ["red"]),
    "a UUID as text": (uuid.UUID(int=5), str(uuid.UUID(int=5))),
    "a time as text": ({"at": NOON}, {"at": "2024-05-01T12:00:00Z"}),
    "a time with a named zone": (
        dt.datetime(2024, 5, 1, 12, tzinfo=ZoneInfo("Europe/Oslo")),
        dt.datetime(2024, 5, 1, 12, tzinfo=dt.timezone(dt.timedelta(hours=2))),
    ),
    "images": (image(), image()),
    "tensors": (tensor(1.0, 2.0), np.array([1, 2], dtype="float32")),
    "sparse": (sparse([[0, 1.5]]), sparse([[0, 1.5]])),
    "frames of polars": (polars(a=[1, None]), polars(a=[1, None])),
    "nothing": (None, None),
}

DIFFERENT = {
    "a value": (np.array([1.0, 2.0]), np.array([1.0, 2.5]), "row 1: 2.0 expected, 2.5 served"),
    "a value of a table": (np.eye(2), np.zeros((2, 2)), "row 0, column 0: 1.0 expected, 0.0 served"),
    "beyond the tolerance": (np.array([1.0]), np.array([1 + 1e-8]), "row 0: 1.0 expected, 1.00000001 served"),
    "rounded float32": (np.float32(0.1234567), np.float32(0.123457), "expected"),
    "more than what is left of a sum": (
        np.array([1e3, 1e-14]), np.array([1e3, 1e-11]), "row 1: 1e-14 expected, 1e-11 served"
    ),
    "small numbers in another column": (
        pd.DataFrame({"a": [1e9], "b": [1e-8]}), pd.DataFrame({"a": [1e9], "b": [2e-8]}),
        "row 0, column 'b': 1e-08 expected, 2e-08 served",
    ),
    "a label": (np.array(["a", "b"]), np.array(["a", "c"]), "row 1: 'b' expected, 'c' served"),
    "a dtype": (np.zeros(2), np.zeros(2, "float32"), "dtype float64 expected, float32 served"),
    "int32": (np.zeros(2, "int64"), np.zeros(2, "int32"), "dtype int64 expected, int32 served"),
    "text and objects": (np.array(["a"]), np.array(["a"], dtype=object), "dtype str expected, object served"),
    "a big number": (np.array([2**60 + 1]), np.array([2**60]), "row 0: 1152921504606846977 expected, "),
    "a shape": (np.zeros((2, 1)), np.zeros(2), "shape (2, 1) expected, (2,) served"),
    "a row less": (np.zeros(3), np.zeros(2), "shape (3,) expected, (2,) served"),
    "a list for an array": (np.zeros(2), [0.0, 0.0], "array expected, list served"),
    "NaN and None": (math.nan, None, "nan expected, None served"),
    "NaN and None in objects": (
        pd.Series(["x", None], dtype=object), pd.Series(["x", math.nan], dtype=object),
        "row 1: None expected, nan served",
    ),
    "NaN and 0": (np.array([np.nan]), np.array([0.0]), "row 0: nan expected, 0.0 served"),
    "true and 1": (True, 1, "True (bool) expected, 1 (int64) served"),
    "1 and 1.0": ([1], [1.0], "at [0]: 1 (int64) expected, 1.0 (float64) served"),
    "1 and '1'": (1, "1", "1 (int64) expected, '1' (str) served"),
    "bytes and text": (b"a", "a", "b'a' (bytes) expected, 'a' (str) served"),
    "a column's value": (FRAME, FRAME.assign(age=[31, 46]), "row 1, column 'age': 45 expected, 46 served"),
    "columns swapped": (
        FRAME, FRAME[["city", "age"]], "columns ['age', 'city'] expected, ['city', 'age'] served"
    ),
    "a column's dtype": (
        FRAME, FRAME.astype({"age": "int32"}), "column 'age': dtype int64 expected, int32 served"
    ),
    "the last row": (FRAME, FRAME[:1], "2 rows expected, 1 served"),
    "an index": (
        FRAME.set_index(pd.Index(["a", "b"])), FRAME.set_index(pd.Index(["a", "c"])),
        "index, row 1: 'b' expected, 'c' served",
    ),
    "an index lost": (FRAME[::-1], FRAME[::-1].reset_index(drop=True), "index, row 0: 1 expected, 0 served"),
    "an index's name": (
        FRAME.rename_axis("id"), FRAME, "index: names ['id'] expected, [None] served"
    ),
    "a level of an index": (
        pd.Series([1], index=pd.MultiIndex.from_tuples([("a", 1)])),
        pd.Series([1], index=pd.MultiIndex.from_tuples([("a", 2)])),
        "level 1 of the index, row 0: 1 expected, 2 served",
    ),
    "a series' name": (pd.Series([1], name="a"), pd.Series([1], name="b"), "name 'a' expected, 'b' served"),
    "categories in another order": (
        pd.Series(["a", "b"], dtype="category"),
        pd.Series(pd.Categorical(["a", "b"], categories=["b", "a"])),
        "categories ['a', 'b'] expected, ['b', 'a'] served",
    ),
    "a category lost": (
        pd.Series(pd.Categorical(["a"], categories=["a", "b"])), pd.Series(["a"], dtype="category"),
        "categories ['a', 'b'] expected, ['a'] served",
    ),
    "categories that are ordered": (
        pd.Categorical(["a"], ordered=True), pd.Categorical(["a"]),
        "order of categories True expected, False served",
    ),
    "a zone lost": (
        pd.Series(pd.date_range("2024", periods=2, tz="UTC")), pd.Series(pd.date_range("2024", periods=2)),
        "dtype datetime64[us, UTC] expected, datetime64[us] served",
    ),
    "a unit": (
        np.array(["2024"], "M8[s]"), np.array(["2024"], "M8[ns]"),
        "dtype datetime64[s] expected, datetime64[ns] served",
    ),
    "the unit of a moment": (
        pd.Timestamp("2024").as_unit("s"), pd.Timestamp("2024").as_unit("ns"), "Timestamp('2024-01-01"
    ),
    "a python time without its zone": (NOON, NOON.replace(tzinfo=None), "expected"),
    "the same moment elsewhere": (NOON, NOON.astimezone(dt.timezone(dt.timedelta(hours=2))), "expected"),
    "another named zone": (
        dt.datetime(2024, 5, 1, tzinfo=ZoneInfo("Europe/Oslo")),
        dt.datetime(2024, 5, 1, tzinfo=ZoneInfo("Europe/Rome")), "expected",
    ),
    "digits of a decimal": (Decimal("1.0"), Decimal("1.00"), "Decimal('1.0') expected, Decimal('1.00')"),
    "a field deep inside": (
        {"people": [{"age": 3}]}, {"people": [{"age": 4}]}, "at people[0].age: 3 expected, 4 served"
    ),
    "an array deep inside": (
        {"a b": (np.zeros(2),)}, {"a b": [np.array([0.0, 1.0])]}, "at ['a b'][0], row 1: 0.0 expected, 1.0"
    ),
    "a field missing": ({"a": 1, "b": 2}, {"a": 1}, "field 'b' expected, not there"),
    "a field extra": ({"a": {}}, {"a": {"b": 2}}, "at a: field 'b' served, not expected"),
    "keys of another type": ({1: "a"}, {"1": "a"}, "field 1 expected, not there"),
    "a list of other length": ([1, 2, 3], [1, 2], "3 items expected, 2 served"),
    "a list where a tuple cannot be": ([1], (1,), "list expected, tuple served"),
    "a field of a model": (
        Person(name="Ann", born=dt.date(1990, 1, 2)), {"name": "Ann", "born": "1990-01-03", "parents": []},
        "at born: '1990-01-02' expected, '1990-01-03' served",
    ),
    "a field of a dataclass": (Point(1.5), Point(2.5), "at x: 1.5 expected, 2.5 served"),
    "an enum": (Colour.RED, "blue", "'red' expected, 'blue' served"),
    "a set": ({1, 2}, [2, 3], "besides what both have, [1] expected, [3] served"),
    "a pixel": (image(), image(colour=(1, 2, 4)), "pixel, row 0, column 0, column 2: 3 expected, 4 served"),
    "an image's mode": (image(), image("RGBA", (1, 2, 3, 255)), "mode RGB expected, RGBA served"),
    "a sparse value": (sparse([[0, 1.5]]), sparse([[0, 2.5]]), "data, row 0: 1.5 expected, 2.5 served"),
    "a sparse place": (sparse([[0, 1.5]]), sparse([[1.5, 0]]), "indices, row 0: 1 expected, 0 served"),
    "frames of polars": (polars(a=[1]), polars(a=[2]), "expected"),
    "an array in an array": (
        np.array([[1, 2], None], dtype=object), np.array([[1, 3], None], dtype=object),
        "row 0, at [1]: 2 expected, 3 served",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("expected", "served"), SAME.values(), ids=SAME)
def test_the_same_is_the_same(expected: Any, served: Any) -> None:
    difference = compare(expected, served)
    assert difference.equal, difference.detail
    assert difference.detail == ""
    assert difference.max_difference < 1e-7


@pytest.mark.parametrize(("expected", "served", "words"), DIFFERENT.values(), ids=DIFFERENT)
def test_what_differs_is_named(expected: Any, served: Any, words: str) -> None:
    difference = compare(expected, served)
    assert not difference.equal
    assert difference.max_difference > 0
    assert words in difference.detail


def test_the_largest_difference_is_kept_when_all_are_small_enough() -> None:
    served = {"a": np.array([1e6, 1.0 + 1e-12]), "b": 1e6 + 1e-5}
    difference = compare({"a": np.array([1e6, 1.0]), "b": 1e6}, served)
    assert difference.equal
    assert difference.max_difference == pytest.approx(1e-5, rel=1e-3)


def test_the_largest_difference_of_whole_numbers_is_exact() -> None:
    difference = compare(np.array([1, 2**62]), np.array([3, 2**62 - 9]))
    assert difference.max_difference == 9
    assert difference.detail == "row 0: 1 expected, 3 served"


ITEMS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.binary(max_size=8),
    st.datetimes(), st.dates(), st.decimals(), st.uuids(),
)  # fmt: skip
VALUES = st.recursive(
    ITEMS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
)


@given(VALUES)
def test_every_value_equals_its_copy(value: Any) -> None:
    difference = compare(value, copy.deepcopy(value))
    assert difference.equal, difference.detail


def replaced(value: Any, by: Any, path: list[int]) -> Any:
    """`value` with the leaf that `path` leads to replaced."""
    if isinstance(value, list) and value:
        i = path.pop() % len(value) if path else 0
        return [replaced(item, by, path) if i == at else item for at, item in enumerate(value)]
    if isinstance(value, dict) and value:
        key = sorted(value)[path.pop() % len(value) if path else 0]
        return {**value, key: replaced(value[key], by, path)}
    return by


@given(VALUES, st.lists(st.integers(0, 3), max_size=6))
def test_one_other_leaf_is_always_noticed(value: Any, path: list[int]) -> None:
    class Other:
        pass

    for by in (Other(), {"other": object()}):
        changed = replaced(value, by, list(path))
        assert not compare(value, changed).equal
        assert not compare(changed, value).equal


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20), st.data())
def test_a_number_beyond_the_tolerance_is_always_noticed(numbers: list[float], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(numbers) - 1))
    served = np.array(numbers)
    served[at] = served[at] / (1 + 1e-6) + 1e-300
    difference = compare(np.array(numbers), served)
    allowed = TOLERANCE * abs(numbers[at]) + NOISE * 2**-52 * max(map(abs, numbers))
    assert difference.equal == (abs(served[at] - numbers[at]) <= allowed)
    assert difference.equal or difference.detail.startswith(f"row {at}:")
