"""Rows pasted from a spreadsheet, as the JSON that endpoints take."""

from __future__ import annotations

import csv
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bento_jupyter import codec
from bento_jupyter.forms.pasting import pasted

FRAME = codec.describe(pd.DataFrame({"age": [1, 2], "zip": ["01", "2"], "paid": [True, False]}))
MATRIX = codec.describe(np.zeros((2, 3)))


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
