"""The codec: what comes back from JSON is what went in, or it is refused."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from bento_jupyter.capture.compare import compare
from bento_jupyter.codec import (
    CodecError,
    conforms,
    decode,
    describe,
    descriptor_from_schema,
    encode,
)


def over_the_wire(value: Any, descriptor: dict[str, Any] | None = None) -> Any:
    descriptor = descriptor or json.loads(json.dumps(describe(value)))
    return decode(json.loads(json.dumps(encode(value, descriptor), allow_nan=False)), descriptor)


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and np.ascontiguousarray(a).tobytes() == b.tobytes()


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


@given(st.data())
@settings(deadline=None)
def test_numeric_arrays_come_back_to_the_bit(data: st.DataObject) -> None:
    dtype = data.draw(numbers)
    finite_or_not = {"allow_nan": False} if dtype.startswith("float") else {}
    array = data.draw(npst.arrays(dtype, shapes, elements=npst.from_dtype(np.dtype(dtype), **finite_or_not)))
    back = over_the_wire(array)
    assert same_bits(array, back)
    assert conforms(back, describe(array)) == ""


@given(
    npst.arrays(
        "float64", st.integers(0, 9), elements=st.sampled_from([math.nan, math.inf, -math.inf, -0.0, 5e-324])
    )
)
def test_what_json_has_no_numbers_for_comes_back(array: np.ndarray) -> None:
    back = over_the_wire(array)
    np.testing.assert_array_equal(array, back)
    assert list(np.signbit(array[array == 0])) == list(np.signbit(back[back == 0]))


@given(st.lists(st.text(), max_size=6))
def test_text_arrays_come_back(texts: list[str]) -> None:
    array = np.array(texts, dtype=np.str_)
    assert over_the_wire(array).tolist() == array.tolist()


@given(
    st.lists(
        st.one_of(
            st.text(),
            st.booleans(),
            st.integers(),
            st.floats(allow_nan=False, allow_infinity=False),
            st.none(),
        )
    )
)
def test_objects_come_back_with_their_types(values: list[Any]) -> None:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    back = over_the_wire(array)
    assert [(type(v), v) for v in back] == [(type(v), v) for v in array]


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


@given(st.data())
@settings(deadline=None)
def test_columns_come_back_with_dtype_and_missing_values(data: st.DataObject) -> None:
    dtype = data.draw(st.sampled_from(sorted(column_values)))
    values = data.draw(st.lists(st.one_of(st.none(), column_values[dtype]), max_size=6))
    frame = pd.DataFrame({"x": pd.Series(values, dtype=dtype)})
    back = over_the_wire(frame)
    pd.testing.assert_frame_equal(frame, back)


def test_a_frame_of_every_kind_comes_back(people: pd.DataFrame) -> None:
    back = over_the_wire(people)
    pd.testing.assert_frame_equal(people, back)
    assert compare(people, back).equal


def test_series_and_scalars_come_back() -> None:
    series = pd.Series([1.5, None], name="y", dtype="Float64")
    pd.testing.assert_series_equal(series, over_the_wire(series))
    for scalar in (np.float32(0.1), np.int64(2**60 + 1), np.str_("a"), True, 0.5):
        back = over_the_wire(scalar)
        assert back == scalar
        assert describe(back) == describe(scalar)


def test_columns_may_come_in_any_order() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    descriptor = describe(frame)
    pd.testing.assert_frame_equal(frame, over_the_wire(frame[["b", "a"]], descriptor))


def test_rows_may_be_records() -> None:
    descriptor = describe(pd.DataFrame({"a": [1], "b": ["x"]}))
    back = over_the_wire([{"b": "y", "a": 2}], descriptor)
    assert back.to_dict("records") == [{"a": 2, "b": "y"}]


def test_the_index_of_the_question_can_be_put_on_the_answer() -> None:
    frame = pd.DataFrame({"a": [1, 2]}, index=["r", "s"])
    back = decode(encode(frame, describe(frame)), describe(frame), index=frame.index)
    pd.testing.assert_frame_equal(frame, back)


def test_a_new_category_is_added_as_in_the_notebook() -> None:
    descriptor = describe(pd.DataFrame({"c": pd.Categorical(["a", "b"])}))
    back = decode([{"c": "z"}], descriptor)
    assert back["c"].tolist() == ["z"]
    assert list(back["c"].cat.categories) == ["a", "b", "z"]


ROWS = {"kind": "array", "dtype": "float64", "shape": [-1, 2]}
FRAME = {
    "kind": "frame",
    "columns": [{"name": "n", "dtype": "int8"}, {"name": "t", "dtype": "datetime64[ns]"}],
}
ORDERED = describe(pd.DataFrame({"s": pd.Categorical(["S"], categories=["S", "M"], ordered=True)}))


@pytest.mark.parametrize(
    ("data", "descriptor", "words"),
    [
        ([[1, 2], [1, 2, 3]], ROWS, "row 1 has 3 values, 2 are wanted"),
        ([[1, 2, 3, 4]], ROWS, "row 0 has 4 values"),
        ([1, 2], ROWS, "row 0 is a number, a list is wanted"),
        ({"a": 1}, ROWS, "a list of values is wanted"),
        ([[1, "1.5"]], ROWS, "row 0, column 1: '1.5' is text"),
        ([[1, True]], ROWS, "row 0, column 1: True is true/false"),
        ([[1e300]], {"kind": "array", "dtype": "float32", "shape": [-1, 1]}, "does not fit float32"),
        ([1.5], {"kind": "array", "dtype": "int64", "shape": [-1]}, "1.5 is not a whole number"),
        (
            [None],
            {"kind": "array", "dtype": "int64", "shape": [-1]},
            "None is null, a whole number is wanted",
        ),
        ([1], {"kind": "array", "dtype": "str", "shape": [-1]}, "1 is a number, text is wanted"),
        ([{"n": 1}], FRAME, "row 0 lacks the columns ['t']"),
        ([{"n": 1, "t": None, "x": 0}], FRAME, "row 0 has the unknown columns ['x']"),
        ([{"n": 300, "t": None}], FRAME, "row 0, column 'n': 300 does not fit int8"),
        ([{"n": 1, "t": "soon"}], FRAME, "row 0, column 't': 'soon' is not a time"),
        ([{"n": 1, "t": "2024-01-01T00:00Z"}], FRAME, "must not have an offset"),
        ([[1, "x"]], FRAME, "row 0 is a list, a record"),
        ([{"s": "XL"}], ORDERED, "'XL' is none of the ordered categories"),
    ],
)
def test_what_does_not_fit_is_refused_by_row_and_column(
    data: Any, descriptor: dict[str, Any], words: str
) -> None:
    with pytest.raises(CodecError) as caught:
        decode(data, descriptor)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        np.array([1 + 2j]),
        np.array([None, math.nan], dtype=object),
        np.array([[1], [2, 3]], dtype=object),
        np.array([math.inf, "x"], dtype=object),
        pd.DataFrame({"p": pd.period_range("2024", periods=2, freq="M")}),
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        pd.DataFrame({("a", "b"): [1]}),
        {"a": 1},
    ],
    ids=repr,
)
def test_what_json_cannot_carry_exactly_is_refused(value: Any) -> None:
    with pytest.raises(CodecError):
        encode(value, describe(value))


def test_an_answer_other_than_promised_is_told() -> None:
    assert "float32" in conforms(np.zeros((2, 2), "float32"), ROWS)
    assert "shape" in conforms(np.zeros((2, 3)), ROWS)
    assert "kind" in conforms(1.0, ROWS)
    assert "column 'n' has dtype int64" in conforms(
        pd.DataFrame({"n": [1], "t": pd.array([None], dtype="datetime64[ns]")}), FRAME
    )


def test_schemas_of_other_services_are_understood() -> None:
    tensor = {"type": "tensor", "format": "numpy-array", "dtype": "float32", "shape": [-1, 2]}
    assert descriptor_from_schema(tensor) == {"kind": "array", "dtype": "float32", "shape": [-1, 2]}
    assert same_bits(decode([[1.5, 2]], descriptor_from_schema(tensor)), np.array([[1.5, 2]], "float32"))
    records = descriptor_from_schema({"type": "dataframe", "orient": "records"})
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    pd.testing.assert_frame_equal(decode(encode(frame, records), records), frame)
    columns = descriptor_from_schema({"type": "dataframe", "orient": "columns"})
    pd.testing.assert_frame_equal(decode(encode(frame, columns), columns), frame)
    free = descriptor_from_schema({"type": "object"})
    assert encode({"x": np.array([1.5, math.nan]), "y": (1, 2)}, free) == {"x": [1.5, None], "y": [1, 2]}
