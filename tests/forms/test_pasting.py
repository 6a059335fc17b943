"""Rows pasted from a spreadsheet, as the JSON that endpoints take."""

from __future__ import annotations

import csv
import io
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bento_jupyter import codec
from bento_jupyter.forms.pasting import pasted

FRAME = codec.describe(pd.DataFrame({"age": [1, 2], "zip": ["01", "2"], "paid": [True, False]}))
MATRIX = codec.describe(np.zeros((2, 3)))
TIMES = codec.describe(pd.Series(pd.to_datetime(["2026-01-01"]), name="at"))
COLOURS = codec.describe(pd.Series(["red", "blue"], dtype="category", name="colour"))
TEXTS = codec.describe(pd.Series(["a"], name="said"))


def numbers(dtype: str, *shape: int) -> dict[str, Any]:
    """The descriptor of an array, or of a series where there is no shape."""
    if not shape:
        return codec.describe(pd.Series([1, 2], dtype=dtype, name="y"))
    return {"kind": "array", "dtype": dtype, "shape": list(shape)}


@pytest.mark.parametrize("between", ["\t", ",", ";", ", "])
def test_columns_are_found_by_their_names_in_any_order(between: str) -> None:
    text = f"zip{between}age{between}paid\n01{between}39{between}true\n2{between}50{between}FALSE\n"
    assert pasted(text, FRAME) == [
        {"zip": "01", "age": 39, "paid": True},
        {"zip": "2", "age": 50, "paid": False},
    ]


def test_without_names_the_cells_are_the_columns_from_left_to_right() -> None:
    assert pasted("39\t01\ttrue", FRAME) == [{"age": 39, "zip": "01", "paid": True}]


def test_a_column_that_is_missing_is_said_by_the_codec() -> None:
    with pytest.raises(codec.CodecError, match="paid"):
        codec.decode(pasted("age\tzip\n39\t01", FRAME), FRAME)


def test_names_above_an_array_are_left_out() -> None:
    assert pasted("a,b,c\n1,2,3\n4,5,6.5", MATRIX) == [[1, 2, 3], [4, 5, 6.5]]
    assert pasted("1,2,3", MATRIX) == [[1, 2, 3]]


def test_one_column_is_a_series_and_a_row_a_flat_array() -> None:
    assert pasted("y\n1\n2\n", codec.describe(pd.Series([1.5], name="y"))) == [1, 2]
    assert pasted("1\t2", codec.describe(np.zeros(2))) == [1, 2]


def test_an_empty_cell_is_nothing_and_a_quoted_one_keeps_its_comma() -> None:
    assert pasted('a,b\n,"x, y"', {"kind": "records"}) == [{"a": None, "b": "x, y"}]


@given(
    st.lists(
        st.tuples(
            st.integers(-(2**53), 2**53),
            st.floats(allow_nan=False, allow_infinity=False),
            st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1),
        ),
        min_size=1,
    ),
    st.sampled_from(["\t", ";", ","]),
)
def test_any_table_that_a_spreadsheet_writes_is_read_back(
    rows: list[tuple[int, float, str]], between: str
) -> None:
    frame = pd.DataFrame(rows, columns=["a", "b", "c"])
    written = io.StringIO()
    csv.writer(written, delimiter=between).writerows([frame.columns, *rows])
    descriptor = codec.describe(frame)
    assert codec.decode(pasted(written.getvalue(), descriptor), descriptor).equals(frame)


def test_two_columns_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="'age' is there twice"):
        pasted("age,age,zip\n1,2,3", FRAME)


@pytest.mark.parametrize(
    ("text", "descriptor"),
    [
        ("2026-01-01\n2026-01-02", TIMES),
        ("May 5\n2026-01-02", TIMES),
        ("red\nblue\nred", COLOURS),
        ("y\nred", COLOURS),
        ("y\nno", TEXTS),
        ("2026-01-01\n2026-01-02", {"kind": "array", "dtype": "datetime64[s]", "shape": [-1]}),
        ("cat\ndog", {"kind": "array", "dtype": None, "shape": [-1]}),
    ],
)
def test_a_first_row_that_may_be_a_value_stays(text: str, descriptor: dict[str, Any]) -> None:
    assert pasted(text, descriptor) == text.split("\n")


@pytest.mark.parametrize(("name", "descriptor"), [("at", TIMES), ("colour", COLOURS), ("said", TEXTS)])
def test_the_name_of_a_series_is_none_of_its_values(name: str, descriptor: dict[str, Any]) -> None:
    assert pasted(f"{name}\nred", descriptor) == ["red"]
    assert pasted(name, descriptor) == [name]


def test_a_category_or_a_number_is_a_value_even_if_the_series_is_called_like_it() -> None:
    assert pasted("red\nblue", {**COLOURS, "name": "red"}) == ["red", "blue"]
    assert pasted("2026\n1", {**numbers("int64"), "name": "2026"}) == [2026, 1]


@pytest.mark.parametrize("word", ["nan", "NaN", "NA", "n/a", "#N/A", "null", "None", ""])
@pytest.mark.parametrize(
    "dtype", ["float64", "Float64", "Int64", "boolean", "datetime64[ns]", "timedelta64[s]"]
)
def test_words_for_nothing_are_nothing_wherever_they_stand(word: str, dtype: str) -> None:
    descriptor = codec.describe(pd.Series([None], dtype=dtype))
    cells = pasted(f"{word}\n{word}\nna\n", descriptor)
    assert cells == [None] * 3
    assert codec.decode(cells, descriptor).isna().all()


def test_a_column_that_takes_no_nothing_says_so() -> None:
    with pytest.raises(codec.CodecError, match=r"row 1: None is null, a whole number is wanted"):
        codec.decode(pasted("1\nNA\n3", numbers("int64")), numbers("int64"))


def test_words_for_nothing_are_texts_in_a_column_of_texts() -> None:
    assert pasted("NA\nnull", TEXTS) == ["NA", "null"]
    assert pasted("NA\nred", COLOURS) == ["NA", "red"]


def test_infinity_is_a_value_of_floats_alone() -> None:
    assert pasted("inf\n-Infinity\n1", numbers("float64")) == ["Infinity", "-Infinity", 1]
    with pytest.raises(codec.CodecError, match="'inf' is text"):
        codec.decode(pasted("inf\n1", numbers("int64")), numbers("int64"))


@pytest.mark.parametrize("slip", ["$5", "1O", "12 kg", "1_000", "٣", "1_0.5", "²", "?"])
@pytest.mark.parametrize("dtype", ["int64", "float64"])
def test_a_number_with_a_slip_in_it_is_neither_read_nor_a_name(slip: str, dtype: str) -> None:
    assert pasted(f"{slip}\n2", numbers(dtype)) == [slip, 2]
    with pytest.raises(codec.CodecError, match="row 0"):
        codec.decode(pasted(f"{slip}\n2", numbers(dtype)), numbers(dtype))


def test_a_blank_line_is_an_empty_cell_of_one_column() -> None:
    assert pasted("\n1\n\n3\n\n", numbers("float64")) == [None, 1, None, 3]
    assert pasted("1\r\n\r\n3\r\n", numbers("float64", -1, 1)) == [[1], [None], [3]]
    assert pasted("a\n\nb", TEXTS) == ["a", None, "b"]
    assert pasted("a\n1\n\n3", {"kind": "records"}) == [{"a": 1}, {"a": None}, {"a": 3}]


def test_a_blank_line_between_rows_is_none_of_them_and_a_row_of_empty_cells_is_one() -> None:
    assert pasted("\n1\t2\t3\n\n\t\t\n4\t5\t6\n", MATRIX) == [[1, 2, 3], [None] * 3, [4, 5, 6]]


@pytest.mark.parametrize(
    ("text", "descriptor", "said"),
    [
        ("a,b,c\n1,2,3,4", MATRIX, "row 2 has 4 cells, there are 3 columns"),
        ("1\t2", MATRIX, "row 1 has 2 cells, there are 3 columns"),
        ("1,2\n3", numbers("float64", -1, -1), "row 2 has 1 cell, there are 2 columns"),
        ("age,zip,paid\n39,01,true\n1,234,01,true", FRAME, "row 3 has 4 cells, there are 3 columns"),
        ("39\t01", FRAME, "row 1 has 2 cells, there are 3 columns"),
        ("a\tb\n1", {"kind": "records"}, "row 2 has 1 cell, there are 2 columns"),
        ("1\t2\n3\t4", numbers("float64"), "row 1 has 2 cells, there is 1 column"),
        ("1\t2\n3\t4", {"kind": "records", "columns": ["a"]}, "row 1 has 2 cells, there is 1 column"),
    ],
)
def test_cells_that_are_too_many_or_too_few_are_said(
    text: str, descriptor: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=f"^{said}$"):
        pasted(text, descriptor)


def test_commas_are_decimal_where_they_cannot_be_anything_else() -> None:
    pairs = numbers("float64", -1, 2)
    assert pasted("1,5;2,5\n3,5;4", pairs) == [[1.5, 2.5], [3.5, 4]]
    assert pasted("1,234\t-0,5\n,5\t1,5e3", pairs) == [[1.234, -0.5], [0.5, 1500.0]]
    assert pasted("y\n1,5\n2,25", numbers("float64")) == [1.5, 2.25]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1\t2\n1,234\t5", "row 2: .*'1,234'"),
        ("1\t2\n1,234,567\t0,5", "row 2: .*'1,234,567'"),
        ("1.234,5\t2", "row 1: .*'1.234,5'"),
        ("1,5\t2\n1.5\t3", "row 1: .*'1,5'"),
    ],
)
def test_commas_that_may_part_thousands_are_not_guessed(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        pasted(text, numbers("float64", -1, 2))


@pytest.mark.parametrize(
    ("text", "dtype"), [("0,5", "float64"), ("1,234", "int64"), ("-1,234,567", "float64")]
)
def test_a_line_that_may_be_one_number_or_several_is_not_guessed(text: str, dtype: str) -> None:
    with pytest.raises(ValueError, match=f"row 1: .*'{text}'"):
        pasted(text, numbers(dtype))


@pytest.mark.parametrize("text", ["1,5", "1, 5", "1\t5", "1;5", "1\n5"])
def test_values_stand_side_by_side_or_one_below_the_other(text: str) -> None:
    assert pasted(text, numbers("int64")) == [1, 5]


def test_a_comma_in_a_whole_number_is_refused_by_the_codec() -> None:
    with pytest.raises(codec.CodecError, match="row 0: '1,234' is text"):
        codec.decode(pasted("1,234\n2", numbers("int64")), numbers("int64"))


def test_names_with_commas_between_them_are_above_no_single_column() -> None:
    with pytest.raises(codec.CodecError, match="row 0: 'a,b' is text"):
        codec.decode(pasted("a,b\n1,2", numbers("float64")), numbers("float64"))


def test_a_sentence_is_one_text_whatever_is_in_it() -> None:
    assert pasted("Well, yes; no", TEXTS) == ["Well, yes; no"]
    assert pasted("said\nWell, yes\nNo", {"kind": "records"}) == [{"said": "Well, yes"}, {"said": "No"}]


def test_a_quote_that_is_not_closed_swallows_no_rows() -> None:
    with pytest.raises(ValueError, match=r"row 2: .*quote"):
        pasted('one\n"two\nthree', TEXTS)
    assert pasted('one\n"two\nthree"', TEXTS) == ["one", "two\nthree"]


def test_names_above_values_that_nobody_described_are_known_by_the_numbers_below() -> None:
    free = {"kind": "array", "dtype": None}
    assert pasted("a\tb\n1\t2", free) == [[1, 2]]
    assert pasted("a\tb\nc\t2", free) == [["a", "b"], ["c", 2]]


def test_rows_without_names_are_the_columns_of_a_frame_of_another_service() -> None:
    descriptor = {"kind": "records", "columns": ["a", "b"]}
    assert pasted("1\t2\n3\t4", descriptor) == [{"a": 1, "b": 2}, {"a": 3, "b": 4}]
    assert pasted("b\ta\n1\t2", descriptor) == [{"b": 1, "a": 2}]


def test_a_single_row_that_shares_a_name_with_the_columns_is_not_dropped() -> None:
    with pytest.raises(ValueError, match=r"row 1 lacks the columns .* unknown columns \['39', 'true'\]"):
        pasted("39\tzip\ttrue", FRAME)


def test_numbers_are_no_names_of_columns_unless_nobody_can_tell() -> None:
    descriptor = codec.describe(pd.DataFrame(np.zeros((1, 2))))
    assert pasted("1\t7\n0\t1", descriptor) == [{"0": 1, "1": 7}, {"0": 0, "1": 1}]
    with pytest.raises(ValueError, match="row 1 may be values, or the names of the columns"):
        pasted("0\t1\n5\t7", descriptor)


def test_categories_are_read_as_what_they_are() -> None:
    def series(values: list[Any]) -> dict[str, Any]:
        return codec.describe(pd.Series(values, dtype="category"))

    assert pasted("1\n2\nNA\n\n3", series([1, 2])) == [1, 2, None, None, 3]
    assert pasted("1\n02", series(["1", "02"])) == ["1", "02"]
    assert pasted("TRUE\nFalse", series([True, False])) == [True, False]
    assert pasted("1\na\nb", series([1, "a"])) == [1, "a", "b"]


def test_objects_that_are_no_texts_are_no_texts() -> None:
    descriptor = {**codec.describe(pd.Series([True, None], dtype=object)), "types": ["bool"]}
    assert pasted("true\n\nfalse", descriptor) == [True, None, False]


def test_nothing_at_all_is_no_rows() -> None:
    assert [pasted("\n", each) for each in (FRAME, MATRIX, TEXTS)] == [[], [], []]


CELLS = st.none() | st.floats(allow_nan=False)


def rows_of(width: int) -> st.SearchStrategy[list[list[float | None]]]:
    """Any rows, and a last one that no cell of is empty, and that says which sign is the decimal one."""
    cells = st.lists(CELLS, min_size=width, max_size=width)
    return st.lists(cells).map(lambda rows: [*rows, [0.5] * width])


@given(st.integers(1, 4).flatmap(rows_of), st.sampled_from(["\t", ";"]), st.sampled_from(".,"), st.booleans())
def test_any_rows_of_floats_are_read_back(
    rows: list[list[float | None]], between: str, point: str, has_names: bool
) -> None:
    lines = [["" if cell is None else repr(cell).replace(".", point) for cell in row] for row in rows]
    names = [list("xyzw"[: len(rows[0])])] if has_names else []
    text = "".join(between.join(line) + "\n" for line in [*names, *lines])
    descriptor = numbers("float64", -1, len(rows[0]))
    wanted = [[math.nan if cell is None else cell for cell in row] for row in rows]
    np.testing.assert_array_equal(codec.decode(pasted(text, descriptor), descriptor), wanted)
    if len(rows[0]) == 1 and len(rows) > 1:
        assert pasted(text, numbers("float64")) == [cell for (cell,) in pasted(text, descriptor)]
