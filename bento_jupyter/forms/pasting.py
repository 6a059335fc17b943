"""Rows as spreadsheets copy them, read as the JSON that an endpoint takes.

Nothing that was pasted is lost in silence: what is no value stays a text, which the codec refuses with row
and column; and where there are too many cells, or too few, or they can be read in two ways, that is said.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ..codec import Descriptor
from ..codec.descriptors import check_columns
from ..display.words import counted

__all__ = ["TABLES", "pasted"]

#: Kinds of values that rows can stand for.
TABLES = ("array", "frame", "records", "series")
#: Columns of these dtypes keep their cells as the texts they are: `00501` is no number there.
TEXTS = ("str", "string", "object", "bytes")
#: Above values of these dtypes a row of names is known by what it is.
NUMBERS = ("bool", "int", "uint", "float")
#: How spreadsheets, R, SQL and Python write that there is nothing; in a column of text they may be meant.
MISSING = frozenset(["nan", "na", "n/a", "#n/a", "<na>", "nat", "null", "none"])
TRUTH = {"true": True, "false": False}
#: Written as the codec wants them.
INFINITE = {
    f"{sign}{word}": "-Infinity" if sign == "-" else "Infinity"
    for sign in ("", "+", "-")
    for word in ("inf", "infinity")
}
#: Python's own `int` and `float` take `1_000`, too, and the digits of all scripts.
WHOLE = re.compile(r"[-+]?\d+", re.ASCII)
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII)
WITH_COMMA = re.compile(r"[-+]?[\d.]*,[\d.,]*([eE][-+]?\d+)?", re.ASCII)
DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+([eE][-+]?\d+)?", re.ASCII)
#: A thousand in Boston is one in Berlin.
THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(,\d{3})+", re.ASCII)

#: Which row it is, as people count, and its cells.
Row = tuple[int, list[str]]


def pasted(text: str, descriptor: Descriptor) -> list[Any]:
    r"""Rows with tabs, semicolons or commas between the cells, as JSON for what a descriptor describes.

    A first row of names is left out where no names are wanted, if its cells cannot be values: above texts,
    times and categories only the name of the series itself is sure to be none. Without one, the cells of a
    frame are its columns from left to right. Cells are numbers where they can be, and nothing where they are
    empty or say so; columns of text keep them. In one column a blank line is an empty cell.

    Args:
        text: The rows.
        descriptor: Of a kind in `TABLES`.

    Raises:
        ValueError: Two columns have one name, or others than the frame; a row has too many cells or too few;
            a quote is not closed; or it is not clear which numbers are meant.

    Example:
        >>> pasted("a\tb\n1\t2.5", {"kind": "records"})
        [{'a': 1, 'b': 2.5}]
        >>> pasted("x,y\n1,2", {"kind": "array", "dtype": "float64", "shape": [-1, 2]})
        [[1, 2]]
        >>> pasted("1,5;\n2;3,25", {"kind": "array", "dtype": "float64", "shape": [-1, 2]})
        [[1.5, None], [2, 3.25]]
    """
    if descriptor["kind"] in ("frame", "records"):
        return _records(text, descriptor)
    shape = list(descriptor.get("shape") or ())
    is_flat = descriptor["kind"] == "series" or len(shape) == 1
    width = 1 if is_flat else shape[1] if len(shape) == 2 else -1
    rows = _rows(text, width)
    if is_flat and len(rows) == 1 and not _is_text(descriptor):
        _check_single(rows[0], _dtype(descriptor))
        rows = _rows(text)
    if len(rows) > 1 and _is_header(rows, descriptor):
        rows = rows[1:]
    if is_flat and len(rows) == 1:  # its values stand side by side
        rows = [(rows[0][0], [cell]) for cell in rows[0][1]]
    if width < 0 and rows:
        width = len(rows[0][1])
    values = _values(rows, [descriptor] * width)
    return [each for row in values for each in row] if is_flat else values


def _records(text: str, descriptor: Descriptor) -> list[Any]:
    named = [each if isinstance(each, dict) else {"name": each} for each in descriptor.get("columns") or ()]
    columns = {str(each["name"]): each for each in named}
    rows = _rows(text, len(columns) or -1)
    if not rows:
        return []
    number, first = rows[0]
    # pandas calls columns 0, 1, 2, ...: a cell like that is no name yet.
    is_header = not columns or any(cell in columns and not NUMBER.fullmatch(cell) for cell in first)
    if not is_header and first == list(columns):
        raise ValueError(
            f"row {number} may be values, or the names of the columns: leave the names out, "
            "or begin with another row"
        )
    names = first if is_header else list(columns)
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise ValueError(f"the column {twice!r} is there twice")
    if columns:
        check_columns(names, list(columns), f"row {number}")
    values = _values(rows[is_header:], [columns.get(name, {}) for name in names])
    return [dict(zip(names, row, strict=True)) for row in values]


def _rows(text: str, width: int = -1) -> list[Row]:
    """Lines as cells, between them what gives all lines as many; `width`: so many are wanted.

    Where one is wanted, only a tab is sure to be no part of it.
    """
    if width == 1:
        return _split(text, "\t")
    for between in "\t;,":
        try:
            rows = _split(text, between)
        except ValueError:
            continue
        found = {len(row) for _, row in rows}
        if found == {width} or (width < 0 and len(found) == 1 and found != {1}):
            return rows
    first = text.lstrip("\r\n").partition("\n")[0]
    return _split(text, next((each for each in "\t;," if each in first), "\t"))


def _split(text: str, between: str) -> list[Row]:
    lines = io.StringIO(text, newline=None)
    rows: list[Row] = []
    try:
        for cells in csv.reader(lines, delimiter=between, skipinitialspace=True, strict=True):
            rows.append((len(rows) + 1, [cell.strip() for cell in cells] or [""]))
    except csv.Error as error:
        said = f'row {len(rows) + 1}: {error}; a cell that begins with a quote (") has to end with one'
        raise ValueError(said) from error
    while rows and rows[-1][1] == [""]:
        rows.pop()
    if any(len(row) > 1 for _, row in rows):
        rows = [each for each in rows if each[1] != [""]]
    return rows


def _is_header(rows: Sequence[Row], descriptor: Descriptor) -> bool:
    """Are the cells of the first row names?"""
    first, dtype, read = rows[0][1], str(descriptor.get("dtype") or "").lower(), _reader(descriptor)
    if first == [descriptor.get("name")] and first[0] not in map(str, descriptor.get("categories", ())):
        return bool(read(first[0]) == first[0])
    if dtype and not dtype.startswith(NUMBERS):
        return False
    # Of what dtype the values are, nobody may have said: then they all have to be of another than names are.
    return all(_is_name(cell) for cell in first) and (
        bool(dtype) or not any(isinstance(read(cell), str) for _, row in rows[1:] for cell in row)
    )


def _is_name(cell: str) -> bool:
    """Can it be no number, not even one with a slip in it, such as `$5` or `1O`?"""
    if not (cell[:1].isalpha() or cell[:1] == "_") or "," in cell or ";" in cell:
        return False
    return cell.lower() not in MISSING | TRUTH.keys() | INFINITE.keys()


def _values(rows: Sequence[Row], fields: Sequence[Descriptor]) -> list[list[Any]]:
    """What the cells stand for, by the fields of their columns."""
    for number, row in rows:
        if len(row) != len(fields):
            there = f"there {'is' if len(fields) == 1 else 'are'} {counted(len(fields), 'column')}"
            raise ValueError(f"row {number} has {counted(len(row), 'cell')}, {there}")
    floats = [place for place, field in enumerate(fields) if _is_float(_dtype(field))]
    _check_commas([(number, row[place]) for number, row in rows for place in floats])
    readers = [_reader(field) for field in fields]
    return [[read(cell) for read, cell in zip(readers, row, strict=True)] for _, row in rows]


def _check_commas(cells: Sequence[tuple[int, str]]) -> None:
    """Refuse commas in numbers unless they must be decimal ones: in `1,5`, if no other number has a point."""
    with_comma = [(number, cell) for number, cell in cells if WITH_COMMA.fullmatch(cell)]
    if not with_comma:
        return
    has_point = any("." in cell and NUMBER.fullmatch(cell) for _, cell in cells)
    wrong = [each for each in with_comma if has_point or not DECIMAL_COMMA.fullmatch(each[1])]
    if not wrong and all(THOUSANDS.fullmatch(cell) for _, cell in with_comma):
        wrong = with_comma
    if wrong:
        raise _unclear(*wrong[0])


def _check_single(row: Row, dtype: str) -> None:
    """Refuse a line that may be one number with a comma in it, or several with commas between them."""
    number, (cell, *others) = row
    is_decimal = _is_float(dtype) and DECIMAL_COMMA.fullmatch(cell)
    if not others and (is_decimal or THOUSANDS.fullmatch(cell)):
        raise _unclear(number, cell)


def _unclear(number: int, cell: str) -> ValueError:
    return ValueError(
        f"row {number}: it is not clear what the comma in {cell!r} means: "
        "write numbers such as 1234.5, and tabs between them"
    )


def _reader(field: Descriptor) -> Callable[[str], Any]:
    """What reads the cells of a column."""
    if "of" in field:
        known = {str(each): each for each in field["categories"] if each != ""}
        other = _reader(field["of"])
        return lambda cell: known[cell] if cell in known else other(cell)
    if _is_text(field):
        return lambda cell: cell or None
    return partial(_value, dtype=_dtype(field))


def _value(cell: str, dtype: str) -> Any:
    word = cell.lower()
    if not cell or (dtype and word in MISSING):
        return None
    if dtype.startswith("datetime64["):
        return cell
    if word in TRUTH:
        return TRUTH[word]
    if _is_float(dtype):
        if word in INFINITE:
            return INFINITE[word]
        if DECIMAL_COMMA.fullmatch(cell):
            cell = cell.replace(",", ".")
    if NUMBER.fullmatch(cell) and math.isfinite(float(cell)):
        return int(cell) if WHOLE.fullmatch(cell) else float(cell)
    return cell


def _dtype(field: Descriptor) -> str:
    """The dtype of the cells, "" when nobody knows it; that of the categories where there are some."""
    return str(field.get("of", field).get("dtype") or "")


def _is_text(field: Descriptor) -> bool:
    return _dtype(field).startswith(TEXTS) and "str" in (field.get("types") or ("str",))


def _is_float(dtype: str) -> bool:
    return dtype.lower().startswith("float")
