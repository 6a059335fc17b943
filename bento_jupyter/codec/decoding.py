"""JSON to values."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import chain
from typing import Any

from .descriptors import (
    NULLABLE_NUMBERS,
    PLAIN_TYPES,
    CodecError,
    Descriptor,
    Field,
    check_columns,
    type_name,
)

__all__ = ["decode"]

#: How floats that JSON has no numbers for may be written; null is NaN, too.
NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def decode(data: Any, descriptor: Descriptor, *, index: Any = None) -> Any:
    """The value that `data`, read by `json.loads`, stands for.

    Args:
        data: What came over the wire.
        descriptor: What it is.
        index: Index for a frame or series of the same length; None = 0, 1, 2, ...

    Raises:
        CodecError: Naming row and column, when `data` is not what the descriptor says.
    """
    kind = descriptor["kind"]
    if kind == "json":
        return data
    if kind == "records":
        import pandas as pd

        return pd.DataFrame(data, columns=descriptor.get("columns"))
    if kind == "scalar":
        return values_from_json([data], descriptor, lambda i: "the value")[0]
    if not isinstance(data, list):
        raise CodecError(
            f"a list of {'records' if kind == 'frame' else 'values'} is wanted, not {type_name(data)}"
        )
    if kind == "array":
        return array_from_json(data, descriptor)
    import pandas as pd

    keep = index if index is not None and len(index) == len(data) else pd.RangeIndex(len(data))
    if kind == "series":
        return series_from_json(data, descriptor, "row {}".format, index=keep, name=descriptor.get("name"))
    return frame_from_json(data, descriptor["columns"], keep)


def array_from_json(data: list[Any], descriptor: Descriptor) -> Any:
    import numpy as np

    shape = descriptor.get("shape")
    if descriptor.get("dtype") is None:
        return np.asarray(data)
    widths = list(shape[1:]) if shape else []
    flat = data
    sizes = [len(data)]
    for width in widths if shape else []:
        for i, row in enumerate(flat):
            if not isinstance(row, list):
                raise CodecError(f"row {i} is {type_name(row)}, a list is wanted")
            if width >= 0 and len(row) != width:
                raise CodecError(f"row {i} has {len(row)} values, {width} are wanted")
        sizes.append(width if width >= 0 else (len(flat[0]) if flat else 0))
        flat = list(chain.from_iterable(flat))
    width = math.prod(sizes[1:])

    def where(position: int) -> str:
        return (
            f"row {position // width}, column {position % width}" if widths and width else f"row {position}"
        )

    return values_from_json(flat, descriptor, where).reshape(sizes)


def frame_from_json(data: list[Any], columns: list[Field], index: Any) -> Any:
    import pandas as pd

    keys = [str(column["name"]) for column in columns]
    wanted = set(keys)
    for i, row in enumerate(data):
        if not isinstance(row, dict):
            raise CodecError(f"row {i} is {type_name(row)}, a record such as {{{keys[0]!r}: ...}} is wanted")
        if row.keys() != wanted:
            check_columns(list(row), keys, f"row {i}")
    series = {}
    for i, (key, column) in enumerate(zip(keys, columns, strict=True)):
        where = f"row {{}}, column {key.replace('{', '{{').replace('}', '}}')!r}".format
        series[i] = series_from_json([row[key] for row in data], column, where, index=index)
    frame = pd.DataFrame(series, index=index)
    frame.columns = pd.Index([column["name"] for column in columns])
    return frame


def series_from_json(values: list[Any], field: Field, where: Callable[[int], str], **options: Any) -> Any:
    """A list as a Series of the field's dtype; said outright, since pandas guesses text types of objects."""
    import pandas as pd

    column = values_from_json(values, field, where, pandas=True)
    return pd.Series(column, dtype=column.dtype, copy=False, **options)


def values_from_json(
    values: list[Any], field: Field, where: Callable[[int], str], *, pandas: bool = False
) -> Any:
    """A list as a 1-d array of the field's dtype; `pandas`: "str" is pandas' text type, not numpy's."""
    dtype: str = field["dtype"]
    if (
        dtype in ("category", "string")
        or "[" in dtype
        or dtype in NULLABLE_NUMBERS
        or (pandas and dtype == "str")
    ):
        return pandas_from_json(values, field, where)
    import numpy as np

    if dtype == "str":
        only(values, (str,), "text", where)
        return np.array(values, dtype=np.str_)
    if dtype == "object":
        only(values, (*PLAIN_TYPES, type(None)), "text, a number, true, false or null", where)
        array = np.empty(len(values), dtype=object)
        array[:] = [math.nan if v is None else v for v in values] if field.get("missing") == "NaN" else values
        return array
    wanted = np.dtype(dtype)
    if wanted.kind == "b":
        only(values, (bool,), "true or false", where)
        return np.array(values, dtype=wanted)
    if wanted.kind in "iu":
        return whole_numbers(values, wanted, where)
    return floats(values, wanted, where)


def whole_numbers(values: list[Any], dtype: Any, where: Callable[[int], str]) -> Any:
    import numpy as np

    only(values, (int, float), "a whole number", where)
    limits = np.iinfo(dtype)
    if set(map(type, values)) != {int} or min(values) < limits.min or max(values) > limits.max:
        for i, value in enumerate(values):
            if isinstance(value, float) and not value.is_integer():
                raise CodecError(f"{where(i)}: {value!r} is not a whole number ({dtype})")
            if not limits.min <= value <= limits.max:
                raise CodecError(f"{where(i)}: {value!r} does not fit {dtype}")
        values = [int(value) for value in values]
    return np.array(values, dtype=dtype)


def floats(values: list[Any], dtype: Any, where: Callable[[int], str]) -> Any:
    import numpy as np

    types = set(map(type, values))
    if not types <= {float, int}:
        wanted = 'a number, null, "Infinity" or "-Infinity"'
        only(values, (int, float, type(None), str), wanted, where)
        for i, value in enumerate(values):
            if isinstance(value, str) and value not in NON_FINITE:
                raise CodecError(f"{where(i)}: {value!r} is text, {wanted} is wanted")
        values = [math.nan if v is None else NON_FINITE[v] if isinstance(v, str) else v for v in values]
    try:
        double = np.array(values, dtype=np.float64)
    except OverflowError as error:
        raise CodecError(f"a number is too large for {dtype}") from error
    with np.errstate(over="ignore"):
        array = double.astype(dtype)
    overflown = np.flatnonzero(np.isinf(array) & np.isfinite(double))
    if overflown.size:
        raise CodecError(f"{where(int(overflown[0]))}: {double[overflown[0]]} does not fit {dtype}")
    return array


def pandas_from_json(values: list[Any], field: Field, where: Callable[[int], str]) -> Any:
    import numpy as np
    import pandas as pd

    dtype: str = field["dtype"]
    if dtype in ("str", "string"):
        only(values, (str, type(None)), "text or null", where)
        return pd.array(values, dtype=pd.StringDtype(na_value=np.nan) if dtype == "str" else pd.StringDtype())
    if dtype == "category":
        return categorical(values, field, where)
    mask = np.array([value is None for value in values], dtype=bool)
    if dtype in NULLABLE_NUMBERS:
        plain = np.dtype({"boolean": "bool"}.get(dtype, dtype.lower()))
        filler = False if plain.kind == "b" else 0
        filled = [filler if value is None else value for value in values]
        numbers = values_from_json(filled, {"dtype": plain.name}, where)
        make = {"b": pd.arrays.BooleanArray, "f": pd.arrays.FloatingArray}.get(
            plain.kind, pd.arrays.IntegerArray
        )
        return make(numbers, mask)
    if dtype.startswith("timedelta64["):
        counts = values_from_json([0 if v is None else v for v in values], {"dtype": "int64"}, where)
        spans = counts.astype(dtype)
        spans[mask] = np.timedelta64("NaT")
        return pd.array(spans, dtype=dtype)
    only(values, (str, type(None)), "a time as ISO 8601 text, or null", where)
    unit, _, zone = dtype.removeprefix("datetime64[").removesuffix("]").partition(", ")
    moments = [moment_of(value, unit, zone, where(i)) for i, value in enumerate(values)]
    return pd.array(pd.DatetimeIndex(moments, dtype=dtype), dtype=dtype)


def moment_of(text: str | None, unit: str, zone: str, where: str) -> Any:
    import pandas as pd

    if text is None:
        return pd.NaT
    try:
        moment = pd.Timestamp(text)
    except ValueError as error:
        raise CodecError(f"{where}: {text!r} is not a time in ISO 8601") from error
    if (moment.tzinfo is None) == bool(zone):
        raise CodecError(f"{where}: {text!r} must {'have' if zone else 'not have'} an offset from UTC")
    try:
        exact = moment.as_unit(unit, round_ok=False)
    except ValueError as error:
        raise CodecError(f"{where}: {text!r} does not fit datetime64[{unit}]") from error
    return exact.tz_convert(zone) if zone else exact


def categorical(values: list[Any], field: Field, where: Callable[[int], str]) -> Any:
    import numpy as np
    import pandas as pd

    known = list(field["categories"])
    position = {category_key(value): i for i, value in enumerate(known)}
    for i, value in enumerate(values):
        if value is None or category_key(value) in position:
            continue
        if field["ordered"]:
            raise CodecError(f"{where(i)}: {value!r} is none of the ordered categories {known}")
        # As in the notebook, where such a frame has one category more: the model knows what a new one means.
        position[category_key(value)] = len(known)
        known.append(value)
    inner = values_from_json(known, field["of"], lambda i: f"category {known[i]!r}", pandas=True)
    codes = np.array(
        [-1 if value is None else position[category_key(value)] for value in values], dtype=np.int64
    )
    return pd.Categorical.from_codes(
        codes, categories=pd.Index(inner, dtype=inner.dtype), ordered=field["ordered"]
    )


def category_key(value: Any) -> tuple[bool, Any]:
    return isinstance(value, bool), value


def only(values: list[Any], types: tuple[type, ...], wanted: str, where: Callable[[int], str]) -> None:
    """Refuse the first value that is not of `types`; True is no number here."""
    if set(map(type, values)) <= set(types):
        return
    for i, value in enumerate(values):
        if type(value) not in types:
            raise CodecError(f"{where(i)}: {value!r} is {type_name(value)}, {wanted} is wanted")
