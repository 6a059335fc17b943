"""Columns as Arrow arrays and back, by what they are."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from .columns import values_to_json
from .descriptors import NULLABLE_NUMBERS, CodecError, Field
from .reading import masked, narrowed, values_from_json

__all__ = ["from_column", "to_column"]

UNITS = ("s", "ms", "us", "ns")
#: Metadata of a column that Arrow has no type for.
AS_JSON = {b"encoding": b"json"}
Where = Callable[[int], str]


def to_column(values: Any, field: Field, where: str) -> tuple[Any, dict[bytes, bytes]]:
    """A 1-d array, Series or Index as an Arrow array, and the metadata that it needs."""
    import numpy as np
    import pyarrow as pa

    dtype = field["dtype"]
    if dtype == "category":
        codes = np.asarray(values.cat.codes)
        inner, metadata = to_column(values.cat.categories, field["of"], where)
        indices = pa.array(codes.astype("int32"), mask=codes < 0)
        return pa.DictionaryArray.from_arrays(indices, inner, ordered=field["ordered"]), metadata
    if dtype in NULLABLE_NUMBERS:
        return pa.array(values.array._data, mask=values.array._mask), {}
    if dtype in ("str", "string") and not isinstance(values, np.ndarray):
        return pa.array(values.to_numpy(dtype=object, na_value=None), type=pa.large_string()), {}
    if dtype == "str":
        return pa.array(values.tolist(), type=pa.large_string()), {}
    if dtype == "bytes":
        return pa.array(values.tolist(), type=pa.large_binary()), {}
    kind = arrow_type(dtype)
    if kind is not None:
        unit = dtype.partition("[")[2].rstrip("]").partition(", ")[0]
        plain = values.to_numpy(dtype=f"{dtype[:10]}[{unit}]") if ", " in dtype else np.asarray(values)
        if plain.dtype.kind == "M" and ", " in dtype:
            return pa.array(plain.astype("int64"), mask=np.isnat(plain)).view(kind), {}
        return pa.array(plain.astype(plain.dtype.newbyteorder("=")), type=kind, from_pandas=False), {}
    listed = values_to_json(values, field, where)
    if dtype == "object" and {type(cell) for cell in listed} <= {str, type(None)}:
        return pa.array(listed, type=pa.large_string()), {}
    return pa.array([json.dumps(cell, allow_nan=False) for cell in listed], type=pa.large_string()), AS_JSON


def arrow_type(dtype: str) -> Any:
    """The Arrow type of bools, numbers, times and durations; None where Arrow has none."""
    import numpy as np
    import pyarrow as pa

    base, _, unit = dtype.partition("[")
    unit, _, zone = unit.rstrip("]").partition(", ")
    if base == "datetime64":
        if unit == "D" and not zone:
            return pa.date32()
        return pa.timestamp(unit, "UTC" if zone else None) if unit in UNITS else None
    if base == "timedelta64":
        return pa.duration(unit) if unit in UNITS else None
    if base in ("object", "category", "str", "string", "bytes"):
        return None
    return pa.from_numpy_dtype(np.dtype(dtype).newbyteorder("="))


def from_column(
    array: Any,
    field: Field,
    where: Where,
    *,
    pandas: bool = False,
    metadata: Mapping[bytes, bytes] | None = None,
) -> Any:
    """An Arrow array as a writable 1-d array of the field's dtype; by JSON's rules where it is another."""
    import numpy as np
    import pyarrow as pa

    dtype: str = field["dtype"]
    if dtype == "category":
        return values_from_json(categories_of(array, field, where, metadata), field, where, pandas=True)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if metadata and metadata.get(b"encoding") == b"json":
        return values_from_json(json_cells(array, where), field, where, pandas=pandas)
    if field.get("nullable") is False and array.null_count:
        array = array.to_pylist()
        return values_from_json([None if cell is None else "" for cell in array], field, where, pandas=pandas)
    nullable = dtype in NULLABLE_NUMBERS
    plain = {"boolean": "bool"}.get(dtype, dtype.lower()) if nullable else dtype
    kind = arrow_type(plain) if plain != "object" else None
    if kind is None:
        return from_texts(array, field, where, pandas=pandas)
    if dtype.startswith(("datetime64[", "timedelta64[")):
        return from_times(array, kind, dtype, where, pandas=pandas)
    if pa.types.is_floating(array.type) and pa.types.is_floating(kind):
        if not array.type.equals(kind) and array.type.bit_width > kind.bit_width:
            wide = array.cast(pa.float64()).fill_null(math.nan).to_numpy(zero_copy_only=False)
            numbers = narrowed(wide, np.dtype(plain), where)
        else:
            filled = array.cast(kind) if kind.bit_width > 16 else array
            numbers = np.array(filled.to_numpy(zero_copy_only=False), dtype=plain)
    elif array.type.equals(kind) and (nullable or not array.null_count):
        filled = array.fill_null(False if plain == "bool" else 0) if array.null_count else array
        numbers = np.array(filled.to_numpy(zero_copy_only=False), dtype=plain)
    else:
        return values_from_json(json_like(array, field, where), field, where, pandas=pandas)
    if not nullable:
        return numbers
    mask = np.array(array.is_null().to_numpy(zero_copy_only=False), dtype=bool)
    numbers[mask] = 0
    return masked(numbers, mask)


def from_texts(array: Any, field: Field, where: Where, *, pandas: bool) -> Any:
    """Texts, bytes and objects."""
    import numpy as np
    import pyarrow as pa

    binary = pa.types.is_binary(array.type) or pa.types.is_large_binary(array.type)
    if field["dtype"] == "bytes" and binary and not array.null_count:
        listed = array.to_pylist()
        width = max([len(item) for item in listed] + [field.get("width", 1), 1])
        return np.array(listed, dtype=f"S{width}")
    return values_from_json(json_like(array, field, where), field, where, pandas=pandas)


def from_times(array: Any, kind: Any, dtype: str, where: Where, *, pandas: bool) -> Any:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    same = (
        (
            pa.types.is_timestamp(array.type)
            and pa.types.is_timestamp(kind)
            and bool(array.type.tz) == bool(kind.tz)
        )
        or (pa.types.is_duration(array.type) and pa.types.is_duration(kind))
        or (pa.types.is_date(array.type) and pa.types.is_date(kind))
    )
    if not same and pa.types.is_timestamp(array.type) and pa.types.is_timestamp(kind):
        must = "must have" if kind.tz else "must not have"
        raise CodecError(f"{where(0)}: its times {must} a time zone")
    if not same and array.null_count < len(array):
        raise CodecError(f"{where(0)}: the Arrow type {array.type} does not fit {dtype}")
    try:
        cast = array.cast(kind)
    except pa.ArrowInvalid as error:
        raise CodecError(f"{where(0)}: a time does not fit {dtype}: {error}") from error
    base, _, rest = dtype.partition("[")
    unit, _, zone = rest.rstrip("]").partition(", ")
    if kind.bit_width == 64:
        counts = np.array(cast.view(pa.int64()).fill_null(np.iinfo("int64").min).to_numpy(), dtype="int64")
        moments = counts.view(f"{base}[{unit}]")
    else:
        moments = np.array(cast.to_numpy(zero_copy_only=False), dtype=f"{base}[{unit}]")
    if not pandas:
        return moments
    if zone:
        return pd.DatetimeIndex(moments).tz_localize("UTC").tz_convert(zone).array
    return pd.array(moments, dtype=dtype)


def categories_of(
    array: Any, field: Field, where: Where, metadata: Mapping[bytes, bytes] | None
) -> list[Any]:
    """The JSON of categorical values."""
    import pyarrow as pa

    if pa.types.is_dictionary(array.type):
        known = inner_json(array.dictionary, field["of"], lambda i: f"category {i}", metadata)
        return [None if i is None or known[i] is None else known[i] for i in array.indices.to_pylist()]
    gone = array.is_null().to_pylist()
    found = iter(inner_json(array.drop_null(), field["of"], where, metadata))
    return [None if missing else next(found) for missing in gone]


def inner_json(array: Any, field: Field, where: Where, metadata: Mapping[bytes, bytes] | None) -> list[Any]:
    import pandas as pd

    if metadata and metadata.get(b"encoding") == b"json":
        return json_cells(array, where)
    values = from_column(array, field, where, pandas=True)
    return values_to_json(pd.Series(values, dtype=values.dtype), field, "the categories")


def json_like(array: Any, field: Field, where: Where) -> list[Any]:
    """Values as JSON has them, for `values_from_json` to judge."""
    listed: list[Any] = array.to_pylist()
    for i, value in enumerate(listed):
        if type(value) not in (str, bool, int, float, type(None)):
            raise CodecError(f"{where(i)}: the Arrow type {array.type} does not fit {field['dtype']}")
    return listed


def json_cells(array: Any, where: Where) -> list[Any]:
    found = []
    for i, text in enumerate(array.to_pylist()):
        try:
            found.append(json.loads(text))
        except (ValueError, TypeError) as error:
            raise CodecError(f"{where(i)}: {text!r} is no JSON") from error
    return found
