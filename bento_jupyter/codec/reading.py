"""Lists of JSON to columns, series and the items of arrays."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from .descriptors import NON_FINITE, NULLABLE_NUMBERS, PLAIN_TYPES, CodecError, Field, type_name
from .plain import bytes_of, shown

__all__ = ["series_from_json", "values_from_json"]

Where = Callable[[int], str]
#: How a time begins and ends; numpy takes "today" and offsets, too.
NAIVE_TIME = re.compile(r"[-+]?\d[-+\d]*(T[\d:.]+)?", re.ASCII)


def series_from_json(values: list[Any], field: Field, where: Where, **options: Any) -> Any:
    """A list as a Series of the field's dtype; said outright, since pandas guesses text types of objects."""
    import pandas as pd

    column = values_from_json(values, field, where, pandas=True)
    return pd.Series(column, dtype=column.dtype, copy=False, **options)


def values_from_json(values: list[Any], field: Field, where: Where, *, pandas: bool = False) -> Any:
    """A list as a 1-d array of the field's dtype; `pandas`: texts and times are pandas', not numpy's."""
    import numpy as np

    dtype: str = field["dtype"]
    if field.get("nullable") is False and None in values:
        place = where(values.index(None))
        raise CodecError(
            f"{place}: null, but {wanted_for(dtype)} is wanted (the sample had no missing value here)"
        )
    if (
        dtype in ("category", "string")
        or dtype in NULLABLE_NUMBERS
        or (pandas and (dtype == "str" or "[" in dtype))
    ):
        return pandas_from_json(values, field, where)
    if dtype == "str":
        only(values, (str,), "text", where)
        widest = max((len(value) for value in values), default=1)
        return np.array(values, dtype=f"U{max(widest, field.get('width', 1), 1)}")
    if dtype == "bytes":
        return bytes_array(values, field, where)
    if dtype == "object":
        return objects(values, field, where)
    if dtype.startswith("datetime64["):
        return numpy_times(values, dtype, where)
    if dtype.startswith("timedelta64["):
        return durations(values, dtype, where)
    wanted = np.dtype(dtype)
    if wanted.kind == "b":
        only(values, (bool,), "true or false", where)
        return np.array(values, dtype=wanted)
    if wanted.kind in "iu":
        return whole_numbers(values, wanted, where)
    if wanted.kind == "f":
        return floats(values, wanted, where)
    raise CodecError(f"the dtype {dtype} is not carried")


def wanted_for(dtype: str) -> str:
    """What a column wants, in words."""
    if dtype.startswith("datetime64["):
        return "a time"
    if dtype.startswith("timedelta64["):
        return "a duration"
    return {"str": "text", "string": "text", "category": "a category", "object": "a value"}.get(dtype, dtype)


def bytes_array(values: list[Any], field: Field, where: Where) -> Any:
    import numpy as np

    only(values, (str,), "base64 text", where)
    found = []
    for i, value in enumerate(values):
        try:
            found.append(bytes_of(value))
        except CodecError as error:
            raise error.inside(where(i)) from error
    widest = max((len(value) for value in found), default=1)
    return np.array(found, dtype=f"S{max(widest, field.get('width', 1), 1)}")


def objects(values: list[Any], field: Field, where: Where) -> Any:
    import numpy as np

    from .decoding import any_from_json

    array = np.empty(len(values), dtype=object)
    plain = {*PLAIN_TYPES, type(None)}
    null: Any = missing_value(field.get("missing", "NaN"))
    if types := field.get("types"):
        allowed = tuple(
            cls for cls in PLAIN_TYPES if cls.__name__ in types or (cls is int and "float" in types)
        )
        only(values, (*allowed, type(None)), " or ".join(TYPE_WORDS[name] for name in types), where)
    if set(map(type, values)) <= plain:
        array[:] = [null if value is None else value for value in values]
        return array
    for i, value in enumerate(values):
        try:
            array[i] = null if value is None else any_from_json(value)
        except CodecError as error:
            raise error.inside(where(i)) from error
    return array


TYPE_WORDS = {"str": "text", "bool": "true or false", "int": "a whole number", "float": "a number"}


def missing_value(name: str) -> Any:
    if name in ("NaT", "NA"):
        import pandas as pd

        return {"NaT": pd.NaT, "NA": pd.NA}[name]
    return {"NaN": math.nan, "None": None}[name]


def whole_numbers(values: list[Any], dtype: Any, where: Where) -> Any:
    import numpy as np

    only(values, (int, float), "a whole number", where)
    limits = np.iinfo(dtype)
    if set(map(type, values)) != {int} or min(values) < limits.min or max(values) > limits.max:
        for i, value in enumerate(values):
            if isinstance(value, float) and not value.is_integer():
                raise CodecError(f"{where(i)}: {value!r} is not a whole number ({dtype})")
            if not limits.min <= value <= limits.max:
                raise CodecError(f"{where(i)}: {shown(value)} does not fit {dtype}")
        values = [int(value) for value in values]
    return np.array(values, dtype=dtype)


def floats(values: list[Any], dtype: Any, where: Where) -> Any:
    import numpy as np

    types, given = set(map(type, values)), values
    if not types <= {float, int}:
        wanted = 'a number, null, "Infinity" or "-Infinity"'
        only(values, (int, float, type(None), str), wanted, where)
        for i, value in enumerate(values):
            if isinstance(value, str) and value not in NON_FINITE:
                raise CodecError(f"{where(i)}: {shown(value)} is text, {wanted} is wanted")
        values = [math.nan if v is None else NON_FINITE[v] if isinstance(v, str) else v for v in values]
    try:
        double = np.array(values, dtype=np.float64)
    except OverflowError as error:
        raise CodecError(f"a number is too large for {dtype}") from error
    if np.isinf(double).any():
        for i, value in enumerate(values):
            if math.isinf(value) and not isinstance(given[i], str):
                raise CodecError(f"{where(i)}: the number is too large for {dtype}")
    return narrowed(double, dtype, where)


def narrowed(double: Any, dtype: Any, where: Where) -> Any:
    """Floats as narrower ones, unless one of them overflows."""
    import numpy as np

    with np.errstate(over="ignore"):
        array = double.astype(dtype)
    overflown = np.flatnonzero(np.isinf(array) & np.isfinite(double))
    if overflown.size:
        raise CodecError(f"{where(int(overflown[0]))}: {double[overflown[0]]} does not fit {dtype}")
    return array


def numpy_times(values: list[Any], dtype: str, where: Where) -> Any:
    import numpy as np

    only(values, (str, type(None)), "a time as ISO 8601 text, or null", where)
    array = np.empty(len(values), dtype=dtype)
    for i, text in enumerate(values):
        if text is None:
            array[i] = np.datetime64("NaT")
            continue
        try:
            if not NAIVE_TIME.fullmatch(text):
                raise ValueError(text)
            given = np.datetime64(text)
            array[i] = given
        except (ValueError, TypeError) as error:
            raise CodecError(f"{where(i)}: {shown(text)} is not a time without offset in ISO 8601") from error
        if array[i] != given:
            raise CodecError(f"{where(i)}: {shown(text)} does not fit {dtype}")
    return array


def durations(values: list[Any], dtype: str, where: Where) -> Any:
    import numpy as np

    counts = values_from_json([0 if v is None else v for v in values], {"dtype": "int64"}, where)
    spans = counts.astype(dtype)
    spans[np.array([value is None for value in values], dtype=bool)] = np.timedelta64("NaT")
    return spans


def pandas_from_json(values: list[Any], field: Field, where: Where) -> Any:
    import numpy as np
    import pandas as pd

    dtype: str = field["dtype"]
    if dtype in ("str", "string"):
        only(values, (str, type(None)), "text or null", where)
        return pd.array(values, dtype=pd.StringDtype(na_value=np.nan) if dtype == "str" else pd.StringDtype())
    if dtype == "category":
        return categorical(values, field, where)
    if dtype in NULLABLE_NUMBERS:
        mask = np.array([value is None for value in values], dtype=bool)
        plain = np.dtype({"boolean": "bool"}.get(dtype, dtype.lower()))
        filler = False if plain.kind == "b" else 0
        filled = [filler if value is None else value for value in values]
        return masked(values_from_json(filled, {"dtype": plain.name}, where), mask)
    if dtype.startswith("timedelta64["):
        return pd.array(durations(values, dtype, where), dtype=dtype)
    only(values, (str, type(None)), "a time as ISO 8601 text, or null", where)
    unit, _, zone = dtype.removeprefix("datetime64[").removesuffix("]").partition(", ")
    moments = [moment_of(value, unit, zone, where, i) for i, value in enumerate(values)]
    return pd.array(pd.DatetimeIndex(moments, dtype=dtype), dtype=dtype)


def masked(numbers: Any, mask: Any) -> Any:
    """A nullable array of pandas."""
    import pandas as pd

    make = {"b": pd.arrays.BooleanArray, "f": pd.arrays.FloatingArray}.get(
        numbers.dtype.kind, pd.arrays.IntegerArray
    )
    return make(numbers, mask)


def moment_of(text: str | None, unit: str, zone: str, where: Where, i: int) -> Any:
    import pandas as pd

    if text is None:
        return pd.NaT
    try:
        if not text[:1].isdigit():
            raise ValueError(text)
        moment = pd.Timestamp(text)
    except ValueError as error:
        raise CodecError(f"{where(i)}: {shown(text)} is not a time in ISO 8601") from error
    if (moment.tzinfo is None) == bool(zone):
        raise CodecError(f"{where(i)}: {text!r} must {'have' if zone else 'not have'} an offset from UTC")
    try:
        exact = moment.as_unit(unit, round_ok=False)
    except ValueError as error:
        raise CodecError(f"{where(i)}: {text!r} does not fit datetime64[{unit}]") from error
    return exact.tz_convert(zone) if zone else exact


def categorical(values: list[Any], field: Field, where: Where) -> Any:
    import numpy as np
    import pandas as pd

    known = list(field["categories"])
    position = {category_key(value): i for i, value in enumerate(known)}
    for i, value in enumerate(values):
        if isinstance(value, (list, dict)):
            raise CodecError(f"{where(i)}: {type_name(value)} is no category")
        if value is None or category_key(value) in position:
            continue
        if field["ordered"]:
            raise CodecError(f"{where(i)}: {value!r} is none of the ordered categories {known}")
        # As in the notebook, where such a frame has one category more: the model knows what a new one means.
        position[category_key(value)] = len(known)
        known.append(value)
    inner = values_from_json(known, field["of"], lambda i: f"category {shown(known[i])}", pandas=True)
    codes = np.array([-1 if v is None else position[category_key(v)] for v in values], dtype=np.int64)
    return pd.Categorical.from_codes(
        codes, categories=pd.Index(inner, dtype=inner.dtype), ordered=field["ordered"]
    )


def category_key(value: Any) -> tuple[bool, Any]:
    return isinstance(value, bool), value


def only(values: list[Any], types: tuple[type, ...], wanted: str, where: Where) -> None:
    """Refuse the first value that is not of `types`; True is no number here."""
    if set(map(type, values)) <= set(types):
        return
    for i, value in enumerate(values):
        if type(value) not in types:
            raise CodecError(f"{where(i)}: {shown(value)} is {type_name(value)}, {wanted} is wanted")
