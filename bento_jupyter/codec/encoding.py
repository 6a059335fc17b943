"""Values to JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .descriptors import (
    FREE_KINDS,
    NULLABLE_NUMBERS,
    CodecError,
    Descriptor,
    Field,
    array_field,
    check_columns,
    column_field,
    describe,
    is_null,
    is_pandas,
    missing_kind,
    plain_value,
    type_name,
)

__all__ = ["encode", "values_to_json"]


def encode(value: Any, descriptor: Descriptor) -> Any:
    """`value` as what `json.dumps` writes strictly, by `descriptor`.

    Args:
        value: An array for `array` (lists too), a DataFrame for `frame` (columns in any order), and so on.
        descriptor: What the endpoint takes.

    Raises:
        CodecError: When columns are missing or unknown, or a value cannot be carried exactly.

    Example:
        >>> encode([[1.5, float("nan")]], {"kind": "array", "dtype": "float64", "shape": [-1, 2]})
        [[1.5, None]]
    """
    import numpy as np

    kind = descriptor["kind"]
    if kind in FREE_KINDS:
        listed = free_json(value)
        by_columns = descriptor.get("orient") == "columns" and isinstance(listed, list) and listed
        return {key: [row[key] for row in listed] for key in listed[0]} if by_columns else listed
    if kind == "frame":
        return frame_to_json(value, descriptor["columns"])
    if kind == "series":
        if not is_pandas(value, "Series"):
            raise CodecError(f"a Series is wanted, not {type_name(value)}")
        return values_to_json(value, {**descriptor, **column_field(value, "the series")}, "the series")
    try:
        array = (
            value
            if isinstance(value, np.ndarray)
            else np.asarray(value, dtype=object_if_mixed(value, descriptor))
        )
    except ValueError as error:
        raise CodecError(f"{type_name(value)} is no array: its rows differ in length") from error
    if kind == "array" and len(descriptor.get("shape") or [0] * array.ndim) != array.ndim:
        raise CodecError(f"the array has {array.ndim} dimensions, {len(descriptor['shape'])} are wanted")
    field = array_field(array, "the array")
    if field["dtype"] == "object" and descriptor["dtype"] == "object":
        field["missing"] = descriptor.get("missing", "NaN")
    flat = values_to_json(array.ravel(), field, "the array")
    return nested(flat, array.shape) if array.ndim else flat[0]


def object_if_mixed(value: Any, descriptor: Descriptor) -> Any:
    """Numbers next to texts stay what they are only in an object array; numpy would make texts of all."""
    return object if descriptor["dtype"] == "object" and not hasattr(value, "dtype") else None


def frame_to_json(frame: Any, columns: list[Field]) -> list[dict[str, Any]]:
    if not is_pandas(frame, "DataFrame"):
        import pandas as pd

        try:
            frame = pd.DataFrame(frame, dtype=object)
        except (TypeError, ValueError) as error:
            raise CodecError(f"a DataFrame is wanted, not {type_name(frame)}") from error
    check_columns(
        [str(name) for name in frame.columns], [str(column["name"]) for column in columns], "the frame"
    )
    by_name = {str(name): frame.iloc[:, i] for i, name in enumerate(frame.columns)}
    lists = []
    for column in columns:
        series, where = by_name[str(column["name"])], f"column {column['name']!r}"
        field = column_field(series, where)
        if field["dtype"] == column["dtype"] == "object":
            field["missing"] = column.get("missing", "NaN")
        lists.append(values_to_json(series, field, where))
    keys = [str(column["name"]) for column in columns]
    return (
        [dict(zip(keys, row, strict=True)) for row in zip(*lists, strict=True)]
        if lists
        else [{} for _ in range(len(frame))]
    )


def values_to_json(values: Any, field: Field, where: str) -> list[Any]:
    """A 1-d array, Series or Index as a list; `field` is that of `values` itself."""
    import numpy as np

    dtype = field["dtype"]
    if dtype == "object":
        return objects_to_json(values, field["missing"], where)
    if dtype in ("str", "string", "category"):
        if isinstance(values, np.ndarray):
            return list(values.tolist())
        if dtype == "category":
            inner = values_to_json(values.cat.categories, field["of"], where)
            return [inner[code] if code >= 0 else None for code in values.cat.codes]
        return [None if missing else str(value) for value, missing in zip(values, values.isna(), strict=True)]
    if dtype in NULLABLE_NUMBERS:
        missing, filled = np.asarray(values.isna()), values.array._data
        plain = values_to_json(filled, {"dtype": filled.dtype.name}, where)
        # NaN and NA are two things in a nullable float column; NA is null, so NaN is spelled out.
        return [
            None if gone else ("NaN" if value is None else value)
            for value, gone in zip(plain, missing, strict=True)
        ]
    if dtype.startswith("datetime64["):
        return [None if missing else iso(value) for value, missing in zip(values, values.isna(), strict=True)]
    if dtype.startswith("timedelta64["):
        counts = values.to_numpy().astype("int64").tolist()
        return [None if missing else count for count, missing in zip(counts, values.isna(), strict=True)]
    array = np.asarray(values)
    listed: list[Any] = array.tolist()
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        return [value if math.isfinite(value) else non_finite_json(value) for value in listed]
    return listed


def objects_to_json(values: Any, missing: str, where: str) -> list[Any]:
    listed = list(values)
    if missing_kind(listed, where) != missing and any(is_null(value) for value in listed):
        raise CodecError(f"{where} says missing otherwise than the model was shown: it knows {missing}")
    plain = [None if is_null(value) else plain_value(value) for value in listed]
    if any(isinstance(value, float) and math.isinf(value) for value in plain):
        raise CodecError(f"{where} holds an infinity among objects, which JSON cannot carry exactly")
    return plain


def iso(moment: Any) -> str:
    if moment.tzinfo is None:
        return str(moment.isoformat())
    return str(moment.tz_convert("UTC").tz_localize(None).isoformat()) + "Z"


def non_finite_json(value: float) -> str | None:
    if math.isnan(value):
        return None
    return "Infinity" if value > 0 else "-Infinity"


def nested(flat: list[Any], shape: Sequence[int]) -> list[Any]:
    for size in reversed(shape[1:]):
        flat = [flat[i : i + size] for i in range(0, len(flat), size)] if size else []
    return flat if math.prod(shape) else empty_lists(shape)


def empty_lists(shape: Sequence[int]) -> list[Any]:
    return [empty_lists(shape[1:]) for _ in range(shape[0])] if shape[0] and len(shape) > 1 else []


def free_json(value: Any) -> Any:
    """A value without a descriptor, as natural JSON."""
    if is_pandas(value, "DataFrame") or is_pandas(value, "Series") or hasattr(value, "dtype"):
        return encode(value, describe(value))
    if isinstance(value, dict):
        return {str(key): free_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [free_json(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return non_finite_json(value)
    return value
