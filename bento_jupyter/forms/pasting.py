"""Rows as spreadsheets copy them, read as the JSON that an endpoint takes."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from typing import Any

from ..codec import Descriptor

__all__ = ["TABLES", "pasted"]

#: Kinds of values that rows can stand for.
TABLES = ("array", "frame", "records", "series")
#: Columns of these dtypes keep their cells as the texts they are: `00501` is no number there.
TEXTS = ("str", "string", "object")


def pasted(text: str, descriptor: Descriptor) -> list[Any]:
    r"""Rows with tabs, semicolons or commas between the cells, as JSON for what a descriptor describes.

    A first row of names is left out where no names are wanted. Without one, the cells of a frame are its
    columns from left to right. Cells are numbers where they can be, and nothing where they are empty; columns
    of text keep them.

    Args:
        text: The rows.
        descriptor: Of a kind in `TABLES`.

    Raises:
        ValueError: Two columns have one name.

    Example:
        >>> pasted("a\tb\n1\t2.5", {"kind": "records"})
        [{'a': 1, 'b': 2.5}]
        >>> pasted("x,y\n1,2", {"kind": "array", "dtype": "float64", "shape": [-1, 2]})
        [[1, 2]]
    """
    rows = _rows(text)
    if descriptor["kind"] in ("frame", "records"):
        return _records(rows, descriptor)
    is_text = str(descriptor.get("dtype", "")).startswith(TEXTS)
    if len(rows) > 1 and not is_text and not any(isinstance(_cell(each), (int, float)) for each in rows[0]):
        rows = rows[1:]
    values = [[each if is_text else _cell(each) for each in row] for row in rows]
    flat = descriptor["kind"] == "series" or len(descriptor.get("shape") or ()) == 1
    return [each for row in values for each in row] if flat else values


def _rows(text: str) -> list[list[str]]:
    first = text.strip("\r\n").partition("\n")[0]
    between = next((each for each in "\t;" if each in first), ",")
    read = csv.reader(io.StringIO(text.strip("\r\n")), delimiter=between, skipinitialspace=True)
    return [[cell.strip() for cell in row] for row in read if any(cell.strip() for cell in row)]


def _records(rows: Sequence[Sequence[str]], descriptor: Descriptor) -> list[Any]:
    columns = {str(each["name"]): each for each in descriptor.get("columns") or () if isinstance(each, dict)}
    named = not columns or len(rows[0]) != len(columns) or not columns.keys().isdisjoint(rows[0])
    names = rows[0] if named else list(columns)
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise ValueError(f"the column {twice!r} is there twice")
    return [
        {
            name: _cell(cell, str(columns.get(name, {}).get("dtype", "")))
            for name, cell in zip(names, row, strict=False)
        }
        for row in rows[named:]
    ]


def _cell(text: str, dtype: str = "") -> Any:
    if not text:
        return None
    if dtype.startswith(TEXTS):
        return text
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for number in (int, float):
        try:
            value = number(text)
        except ValueError:
            continue
        return value if math.isfinite(value) else text
    return text
