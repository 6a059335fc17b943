"""The codec: what comes back from JSON is what went in, or it is refused."""

from __future__ import annotations

import datetime
import decimal
import itertools
import json
import math
import uuid
import zoneinfo
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from scipy import sparse
from tables import INDEXES, column_values, numbers, shapes

from bento_jupyter.capture.proof.compare import compare
from bento_jupyter.codec import (
    CodecError,
    conforms,
    decode,
    decode_answer,
    describe,
    descriptor_from_schema,
    encode,
    encode_answer,
    unite,
)


def over_the_wire(value: Any, descriptor: dict[str, Any] | None = None) -> Any:
    descriptor = descriptor or json.loads(json.dumps(describe(value)))
    return decode(json.loads(json.dumps(encode(value, descriptor), allow_nan=False)), descriptor)


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and np.ascontiguousarray(a).tobytes() == b.tobytes()


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


zones = st.sampled_from([None, datetime.timezone.utc, zoneinfo.ZoneInfo("Europe/Berlin")])
plain = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**80), 2**80),
    st.floats(allow_nan=False),
    st.text(max_size=4),
    st.binary(max_size=4),
    st.dates(),
    st.timedeltas(),
    st.uuids(),
    st.decimals(allow_nan=False),
    # The second of two equal hours when clocks go back is told by the offset, which JSON has.
    st.datetimes(
        timezones=zones, min_value=datetime.datetime(1971, 1, 1), max_value=datetime.datetime(2030, 1, 1)
    ),
)
keys = st.text(max_size=3) | st.sampled_from(["$type", "value", "kind"])
values = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(keys, inner, max_size=3)
        | st.dictionaries(st.integers() | st.dates(), inner, max_size=2)
        | st.tuples(inner, inner)
        | st.frozensets(st.integers() | st.text(max_size=2), max_size=3)
    ),
    max_leaves=10,
)


def same(a: Any, b: Any) -> bool:
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, datetime.datetime):
        return a == b and a.utcoffset() == b.utcoffset() and str(a.tzinfo) == str(b.tzinfo)
    return bool(a == b)


@given(values)
@settings(deadline=None)
def test_nested_values_come_back_with_their_types(value: Any) -> None:
    descriptor = json.loads(json.dumps(describe(value)))
    assert same(over_the_wire(value, descriptor), value)
    assert conforms(value, descriptor) == ""


@given(values, values)
@settings(deadline=None)
def test_answers_come_back_whatever_was_promised(value: Any, sample: Any) -> None:
    promised = describe(sample)
    back = decode_answer(json.loads(json.dumps(encode_answer(value, promised), allow_nan=False)), promised)
    assert same(back, value)


natural = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4)
    | st.sampled_from(["2024-02-29", "P1DT0S", "1.5", "AAAA", str(uuid.UUID(int=1))]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)


def holds_envelope(data: Any) -> bool:
    if isinstance(data, dict):
        says_itself = data.keys() == {"$type", "value"} and isinstance(data["$type"], dict)
        return says_itself or any(map(holds_envelope, data.values()))
    return isinstance(data, list) and any(map(holds_envelope, data))


@given(natural, natural | plain)
@settings(deadline=None)
def test_what_json_has_is_plain_json_unless_it_would_be_misread(value: Any, sample: Any) -> None:
    promised = describe(sample)
    data = encode_answer(value, promised)
    if holds_envelope(data) and not holds_envelope(value):
        assert not same(decode_answer(json.loads(json.dumps(value)), promised), value)
    else:
        assert holds_envelope(value) or same(data, value)


@given(values | natural, values | natural)
@example({"$type": {"kind": "int"}, "value": 1}, {"a": {"b": 1}})
@example({"a": [{"$type": {}, "value": {}}]}, {"a": [{}]})
@example({"$type": {"kind": "str"}, "value": "x"}, {"$type": {"kind": "str"}, "value": "x"})
@settings(deadline=None)
def test_data_that_looks_like_an_envelope_comes_back(value: Any, sample: Any) -> None:
    promised = describe(sample)
    for said in (value, {"a": value}, [value], {"$type": value, "value": value}):
        data = json.loads(json.dumps(encode_answer(said, promised), allow_nan=False))
        assert same(decode_answer(data, promised), said)


@pytest.mark.parametrize("value", [{"$type": "x"}, {"$type": {}, "b": 1}, {"$type": 1, "value": 2}])
def test_a_field_called_type_is_plain_json(value: Any) -> None:
    for sample in (value, {"a": 1}, 1, [value]):
        assert encode_answer(value, describe(sample)) == value


@pytest.mark.parametrize(
    ("value", "sample"),
    [(5.0, 2), (5, 2.5), (None, {"a": 1}), (None, np.zeros(2)), ([1, "a"], np.zeros(2)), ("said", 1),
     ("soon", datetime.date(2024, 1, 1)), ({"a": [1, None]}, (1, 2)), ([1, 2, 3], (1, 2)), (True, 1),
     ({"b": 2.5, "c": {}}, {"a": 1}), ([0.5], pd.DataFrame({"a": [1]}))],
)  # fmt: skip
def test_an_answer_of_another_kind_is_plain_json(value: Any, sample: Any) -> None:
    assert encode_answer(value, describe(sample)) == value
    assert same(decode_answer(json.loads(json.dumps(value)), describe(sample)), value)


@pytest.mark.parametrize(
    ("value", "sample"),
    [("2024-01-01", datetime.date(2024, 1, 1)), ("1.5", decimal.Decimal(1)), ([1, 2], (1, 2)),
     ([1.0], np.zeros(2)), (None, np.float64(1)), (0.5, np.float32(1)), ({"1": 2}, {1: 2}),
     ([{"a": 1}], pd.DataFrame({"a": [1]}))],
)  # fmt: skip
def test_what_would_be_read_as_promised_says_what_it_is(value: Any, sample: Any) -> None:
    data = encode_answer(value, describe(sample))
    assert holds_envelope(data)
    assert same(decode_answer(json.loads(json.dumps(data)), describe(sample)), value)


@pytest.mark.parametrize("value", ["2024-02-29T00:00:00", datetime.datetime(2024, 2, 29), "soon"])
def test_a_union_keeps_texts_and_times_apart(value: Any) -> None:
    either = {"kind": "union", "of": [{"kind": "datetime"}, {"kind": "str"}]}
    assert same(over_the_wire(value, either), value)
    with pytest.raises(CodecError, match="int"):
        decode({"$type": {"kind": "int"}, "value": 1}, either)


@given(st.lists(values, min_size=1, max_size=4))
@settings(deadline=None)
def test_one_descriptor_can_do_for_several_values(several: list[Any]) -> None:
    united = describe(several[0])
    for value in several[1:]:
        united = unite(united, describe(value))
    for value in several:
        assert same(over_the_wire(value, united), value)


@pytest.mark.parametrize(
    "array",
    [
        np.array(["2024-02-29", "NaT"], dtype="datetime64[D]"),
        np.array(["2024", "NaT"], dtype="datetime64[Y]"),
        np.array([["2024-02-29T01:02:03.123456789"]], dtype="datetime64[ns]"),
        np.array([5, "NaT"], dtype="timedelta64[h]"),
        np.array([b"a", b"\x00b"]),
        np.array(["a"], dtype="U7"),
        np.array(2.5, dtype="float16"),
        np.array("x"),
        np.zeros((3, 0)),
        np.zeros((0, 2, 2), dtype=bool),
        np.array([1, -2], dtype=">i4"),
        np.array(
            [None, math.nan, math.inf, "a", 1, True, (1, 2), [1], {"a": b""}, pd.NaT, pd.NA], dtype=object
        ),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_arrays_of_any_dtype_and_shape_come_back(array: np.ndarray) -> None:
    back = over_the_wire(array)
    assert (back.dtype, back.shape, repr(back)) == (array.dtype, array.shape, repr(array))


def test_tensors_come_back_as_tensors() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    weights = torch.rand(2, 3, requires_grad=True)
    for tensor in (
        weights,
        weights.T,
        torch.tensor(2.5),
        torch.zeros((2, 0)),
        torch.arange(3),
        torch.tensor([True]),
    ):
        back = over_the_wire(tensor)
        assert type(back) is torch.Tensor
        assert back.dtype == tensor.dtype
        assert torch.equal(back, tensor)
        assert conforms(tensor.detach().numpy(), describe(tensor))
    with pytest.raises(CodecError, match="bfloat16"):
        describe(weights.bfloat16())
    with pytest.raises(CodecError, match="to_dense"):
        describe(weights.to_sparse())


@pytest.mark.parametrize("index", INDEXES, ids=repr)
def test_row_labels_come_back(index: pd.Index) -> None:
    frame = pd.DataFrame({"a": [1, 2]}, index=index)
    pd.testing.assert_frame_equal(over_the_wire(frame), frame)
    pd.testing.assert_series_equal(over_the_wire(frame["a"]), frame["a"])
    bare = decode(
        encode(frame.reset_index(drop=True), describe(frame.reset_index(drop=True))), describe(frame)
    )
    pd.testing.assert_frame_equal(bare, frame.reset_index(drop=True))


def test_row_labels_that_were_not_promised_come_back() -> None:
    promised = describe(pd.DataFrame({"a": [1]}))
    frame = pd.DataFrame({"a": [1, 2]}, index=[5, 3])
    answer = json.loads(json.dumps(encode_answer(frame, promised)))
    pd.testing.assert_frame_equal(decode_answer(answer, promised), frame)


def test_the_header_of_a_frame_comes_back() -> None:
    frame = pd.DataFrame([[1, 2]], columns=pd.Index([2020, 2021], name="year"))
    pd.testing.assert_frame_equal(over_the_wire(frame), frame)
    pd.testing.assert_frame_equal(over_the_wire(frame[[]]), frame[[]])


def test_the_json_of_a_float_is_a_float_also_when_it_is_whole() -> None:
    assert over_the_wire({"a": 1.0, "b": [2.0]}) == {"a": 1.0, "b": [2.0]}
    assert type(over_the_wire({"a": 1.0})["a"]) is float


def test_json_that_somebody_wrote_by_hand_is_read() -> None:
    assert decode(3, {"kind": "float"}) == 3.0
    assert type(decode(3, {"kind": "float", "whole": True})) is int
    assert (
        decode("2024-01-01T00:00:00Z", {"kind": "datetime", "zone": "offset"}).utcoffset()
        == datetime.timedelta()
    )
    assert decode("1.50", {"kind": "decimal"}) == decimal.Decimal("1.50")
    assert decode(str(uuid.UUID(int=1)), {"kind": "uuid"}) == uuid.UUID(int=1)


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
        (1.5, {"kind": "int"}, "1.5 is a number, a whole number is wanted"),
        (math.inf, {"kind": "float"}, "a number"),
        ([math.inf], {"kind": "array", "dtype": "float64", "shape": [-1]}, "too large for float64"),
        (None, {"kind": "str"}, "None is null, text is wanted"),
        ({"a": {"b": ["x"]}}, describe({"a": {"b": [1]}}), "field 'a': field 'b': item 0: 'x' is text"),
        (
            {"a": 1, "c": 2},
            describe({"a": 1, "b": 2}),
            "it lacks the fields ['b'] and has the unknown fields ['c']",
        ),
        ([1, 2, 3], describe((1, 2)), "a list of 2 items is wanted, not of 3"),
        ("c", {"kind": "choices", "of": {"kind": "str"}, "values": ["a", "b"]}, "'c' is none of ['a', 'b']"),
        ([None], {"kind": "series", "dtype": "str", "nullable": False}, "row 0: null, but text is wanted"),
        (
            [1],
            {"kind": "series", "dtype": "object", "types": ["str"]},
            "row 0: 1 is a number, text is wanted",
        ),
        ({"$type": {"kind": "nonsense"}, "value": 1}, {"kind": "any"}, "unknown kind 'nonsense'"),
        ({"$type": {"kind": "scalar", "dtype": "V8"}, "value": 1}, {"kind": "any"}, "V8"),
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
        np.array([1], dtype="longdouble"),
        np.array([(1, 2)], dtype="i4,i4"),
        np.ma.array([1, 2], mask=[True, False]),
        np.array([object()], dtype=object),
        pd.DataFrame({"p": pd.period_range("2024", periods=2, freq="M")}),
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        pd.DataFrame({("a", "b"): [1]}),
        pd.Series(pd.arrays.IntervalArray.from_breaks([0, 1])),
        pd.Index([1]),
        sparse.csr_matrix([[1]]),
        {"a": open},
        [1j],
        {"a": "\ud800"},
        itertools.count(),
    ],
    ids=lambda value: type(value).__name__,
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
