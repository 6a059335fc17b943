"""Tables as Arrow: what comes back is what went in, and bytes of anybody's break nothing."""

from __future__ import annotations

import contextlib
import json
import math
import random
import time
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from tables import INDEXES, column_values, numbers, shapes

from bento_jupyter.codec import CodecError, describe, encode
from bento_jupyter.codec.arrow import (
    answer_from_arrow,
    answer_to_arrow,
    from_arrow,
    table_parameter,
    to_arrow,
)
from bento_jupyter.codec.arrow_sizes import check_expansion


def over_the_wire(value: Any) -> Any:
    """By both ways: as an input, which its descriptor reads, and as an answer, which says what it is."""
    types = {"x": json.loads(json.dumps(describe(value))), "k": {"kind": "int"}}
    back = from_arrow(to_arrow({"x": value, "k": 2**70}, types), types)
    assert back["k"] == 2**70
    answer = answer_from_arrow(answer_to_arrow(value))
    assert repr(answer) == repr(back["x"])
    return back["x"]


@given(st.data())
@settings(deadline=None)
def test_numeric_arrays_come_back_to_the_bit(data: st.DataObject) -> None:
    array = data.draw(npst.arrays(data.draw(numbers), shapes))
    back = over_the_wire(array)
    assert (back.dtype, back.shape, back.flags.writeable) == (array.dtype, array.shape, True)
    assert np.ascontiguousarray(back).tobytes() == np.ascontiguousarray(array).tobytes()


@given(st.data())
@settings(deadline=None)
def test_columns_come_back_with_dtype_and_missing_values(data: st.DataObject) -> None:
    dtype = data.draw(st.sampled_from(sorted(column_values)))
    values = data.draw(st.lists(st.one_of(st.none(), column_values[dtype]), max_size=6))
    frame = pd.DataFrame({"x": pd.Series(values, dtype=dtype), "n": np.arange(len(values), dtype="int8")})
    pd.testing.assert_frame_equal(frame, over_the_wire(frame))


def test_a_frame_of_every_kind_comes_back(people: pd.DataFrame) -> None:
    for frame in (people, people.iloc[:0], people[[]], people.set_index(["seen", "plan"])):
        pd.testing.assert_frame_equal(frame, over_the_wire(frame))
    for name in people:
        pd.testing.assert_series_equal(people[name], over_the_wire(people[name]))


def test_nan_and_null_are_two_things() -> None:
    values = pd.arrays.FloatingArray(np.array([1.5, math.nan, 0.0]), np.array([False, False, True]))
    back = over_the_wire(pd.Series(values))
    assert back.isna().tolist() == pd.Series(values).isna().tolist()
    assert back.array._mask.tolist() == [False, False, True]
    assert math.isnan(back.array._data[1])
    objects = over_the_wire(pd.Series([None, math.nan, pd.NaT, pd.NA, "x"], dtype=object))
    assert list(map(repr, objects)) == ["None", "nan", "NaT", "<NA>", "'x'"]


@pytest.mark.parametrize("index", INDEXES, ids=repr)
def test_row_labels_come_back(index: pd.Index) -> None:
    frame = pd.DataFrame({"a": [1, 2]}, index=index)
    pd.testing.assert_frame_equal(over_the_wire(frame), frame)


@pytest.mark.parametrize(
    "array",
    [
        np.array(["2024-02-29", "NaT"], dtype="datetime64[D]"),
        np.array([["2024-02-29T01", "NaT"]], dtype="datetime64[ns]"),
        np.array(["2024"], dtype="datetime64[Y]"),
        np.array([5, "NaT"], dtype="timedelta64[h]"),
        np.array([[b"a"], [b"\x00b"]]),
        np.array(["a"], dtype="U7"),
        np.array(2.5),
        np.zeros((3, 0)),
        np.zeros((0, 0, 2), dtype="float32"),
        np.array([1, -2], dtype=">i4"),
        np.array([[None, 1], ["a", (1,)]], dtype=object),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_arrays_of_any_dtype_and_shape_come_back(array: np.ndarray) -> None:
    back = over_the_wire(array)
    assert (back.dtype, back.shape, repr(back)) == (array.dtype, array.shape, repr(array))


def test_only_one_table_fits_a_stream() -> None:
    rows, number = describe(np.zeros((1, 2))), {"kind": "int"}
    assert table_parameter({"a": rows, "b": number}) == ("a", "")
    assert table_parameter({"a": rows, "b": rows}) == ("", "a, b are tables, a stream carries one")
    assert table_parameter({"b": number, "c": None}) == ("", "no input is a table")


FRAME = pd.DataFrame(
    {"n": np.array([1, 2], dtype="int8"), "f": [0.5, 1.5], "t": pd.array(["a", "b"], dtype="string")}
)
TYPES = {
    "x": {
        **describe(FRAME),
        "columns": [*describe(FRAME)["columns"][:2], {"name": "t", "dtype": "str", "nullable": False}],
    }
}


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"n": [1, 300], "f": [0.5, 1.5], "t": ["a", "b"]}, "row 1, column 'n': 300 does not fit int8"),
        ({"n": [1, None], "f": [0.5, 1.5], "t": ["a", "b"]}, "row 1, column 'n': None is null"),
        ({"n": [1.0, 1.5], "f": [0.5, 1.5], "t": ["a", "b"]}, "row 1, column 'n': 1.5 is not a whole number"),
        ({"n": [1, 2], "f": ["1", "x"], "t": ["a", "b"]}, "row 0, column 'f': '1' is text"),
        ({"n": [1, 2], "f": [True, False], "t": ["a", "b"]}, "row 0, column 'f': True is true/false"),
        ({"n": [1, 2], "f": [0.5, 1.5], "t": ["a", None]}, "row 1, column 't': null, but text is wanted"),
        (
            {"n": [1, 2], "f": [0.5, 1.5], "t": [b"a", b"b"]},
            "row 0, column 't': the Arrow type binary does not fit",
        ),
        ({"n": [1, 2], "f": [0.5, 1.5]}, "lacks the columns ['t']"),
        ({"n": [1, 2], "f": [0.5, 1.5], "t": ["a", "b"], "u": [1, 2]}, "has the unknown columns ['u']"),
    ],
)
def test_what_does_not_fit_is_refused_by_row_and_column(columns: dict[str, list[Any]], words: str) -> None:
    sink = pa.BufferOutputStream()
    table = pa.table(columns)
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    with pytest.raises(CodecError) as caught:
        from_arrow(sink.getvalue().to_pybytes(), TYPES)
    assert words in str(caught.value)


def test_narrower_and_wider_columns_of_others_are_taken() -> None:
    table = pa.table({"n": pa.array([1, 2], pa.int64()), "f": pa.array([1, None], pa.int32()),
                      "t": pa.array(["a", "b"]).dictionary_encode()})  # fmt: skip
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    frame = from_arrow(sink.getvalue().to_pybytes(), TYPES)["x"]
    texts = pd.array(["a", "b"], dtype=pd.StringDtype(na_value=np.nan))
    wanted = pd.DataFrame({"n": np.array([1, 2], dtype="int8"), "f": [1.0, math.nan], "t": texts})
    pd.testing.assert_frame_equal(frame, wanted)


def test_bytes_of_anybody_are_a_table_or_refused(people: pd.DataFrame) -> None:
    rng = random.Random(0)
    streams = []
    for value in (
        people,
        np.arange(8, dtype="uint8").reshape(2, 2, 2),
        pd.Series(["a", "b"], index=["k", "l"]),
    ):
        types = {"x": describe(value)}
        streams.append((to_arrow({"x": value}, types), types))
    for _ in range(2000):
        stream, types = rng.choice(streams)
        broken = bytearray(stream)
        for _ in range(rng.choice([1, 2, 8])):
            broken[rng.randrange(len(broken) - 8)] = rng.randrange(256)
        with contextlib.suppress(CodecError):  # and nothing else
            from_arrow(bytes(broken), types)


@pytest.mark.parametrize("compression", ["zstd", "lz4"])
def test_what_compressed_streams_expand_to_is_limited(compression: str) -> None:
    frame = pd.DataFrame({"a": np.zeros(50_000), "c": pd.Categorical(["x"] * 50_000)})
    table = pa.Table.from_pandas(frame, preserve_index=False)
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=compression)
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    data = sink.getvalue().to_pybytes()
    assert len(data) < 10_000
    pd.testing.assert_frame_equal(from_arrow(data, {"x": describe(frame)})["x"], frame)
    check_expansion(data, most=650_000)
    with pytest.raises(CodecError, match="expand to more than 400,000 bytes"):
        check_expansion(data, most=400_000)


def test_rows_without_content_are_limited() -> None:
    table = pa.table({"a": pa.nulls(10**9)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    with pytest.raises(CodecError, match="1,000,000,000 rows without content"):
        from_arrow(sink.getvalue().to_pybytes(), {"x": describe(pd.DataFrame({"a": [1.5]}))})


def test_tensors_come_back_as_tensors() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    tensor = torch.arange(6.0).reshape(2, 3).requires_grad_()
    back = over_the_wire(tensor)
    assert type(back) is torch.Tensor
    assert torch.equal(back, tensor)


def test_arrow_is_smaller_and_faster_than_json() -> None:
    rows = np.random.default_rng(0).normal(size=(10_000, 20))
    types = {"x": describe(rows)}
    begun = time.perf_counter()
    stream = to_arrow({"x": rows}, types)
    from_arrow(stream, types)
    arrow = time.perf_counter() - begun
    begun = time.perf_counter()
    text = json.dumps({"x": encode(rows, types["x"])})
    as_json = time.perf_counter() - begun
    assert len(stream) < rows.nbytes * 1.01 < len(text) / 2
    assert arrow < as_json
