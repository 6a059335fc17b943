"""Columns, series and the items of arrays: what they are, and their JSON."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .descriptors import NULLABLE_NUMBERS, CodecError, Field, is_null

__all__ = ["array_field", "column_field", "values_to_json"]

#: What to do about dtypes that are not carried.
INSTEAD = {
    "c": "give its real and imaginary parts",
    "V": "make a DataFrame of it",
    "f": "convert it with .astype('float64')",
    "p": "convert it with .dt.to_timestamp() or .astype('str')",
    "i": "give its bounds as two columns",
    "s": "make it dense",
}


def array_field(array: Any, where: str) -> Field:
    """What the items of a numpy array are.

    Raises:
        CodecError: They cannot be carried exactly.
    """
    dtype, kind = array.dtype, array.dtype.kind
    if kind in "biu" or (kind == "f" and dtype.itemsize <= 8):
        return {"dtype": dtype.name if dtype.isnative else dtype.str}
    if kind in "US":
        return {
            "dtype": "str" if kind == "U" else "bytes",
            "width": dtype.itemsize // (4 if kind == "U" else 1),
        }
    if kind in "mM" and "[" in dtype.name:
        return {"dtype": dtype.name}
    if kind == "O":
        return objects_field(array.ravel().tolist(), where)
    raise CodecError(
        f"{where} has dtype {dtype}, which cannot be carried exactly; {INSTEAD.get(kind, 'convert it')}"
    )


def column_field(series: Any, where: str) -> Field:
    """What the values of a pandas Series are.

    Raises:
        CodecError: They cannot be carried exactly.
    """
    import numpy as np

    name = str(series.dtype)
    if name in NULLABLE_NUMBERS or name in ("str", "string"):
        return {"dtype": name}
    if name == "category":
        categories = series.cat.categories
        field = column_field(categories.to_series(), f"the categories of {where}")
        return {
            "dtype": "category",
            "categories": values_to_json(categories, field, where),
            "of": field,
            "ordered": bool(series.cat.ordered),
        }
    if name.startswith(("datetime64[", "timedelta64[")):
        return {"dtype": zone_checked(series, name, where)}
    if isinstance(series.dtype, np.dtype) and series.dtype.kind in "biufO":
        return array_field(series.to_numpy(), where)
    hint = {"per": "p", "int": "i", "Spa": "s", "com": "c"}.get(name[:3], "")
    raise CodecError(
        f"{where} has dtype {name}, which cannot be carried exactly; {INSTEAD.get(hint, 'convert it')}"
    )


def zone_checked(series: Any, name: str, where: str) -> str:
    """The dtype of times, once it is sure that its zone can be made again of its name."""
    import pandas as pd

    try:
        if pd.api.types.pandas_dtype(name) == series.dtype:
            return name
    except (TypeError, ValueError, KeyError):
        pass
    raise CodecError(
        f"{where} has the time zone {series.dtype.tz!r}, which has no name; use .dt.tz_convert('UTC')"
    )


def objects_field(values: Sequence[Any], where: str) -> Field:
    """What an object column is: `missing` says which kind of missing value JSON's null stands for."""
    from .describing import describe

    nulls = {missing_name(value) for value in values} - {""}
    for i, value in enumerate(values):
        if type(value) not in (str, int, bool, float, type(None)):
            try:
                describe(value)
            except CodecError as error:
                raise error.inside(f"{where}, row {i}") from error
    missing = next((name for name in ("NaN", "None", "NaT", "NA") if name in nulls), "NaN")
    return {"dtype": "object", "missing": missing}


def missing_name(value: Any) -> str:
    """What kind of missing a value is; "" when it is none."""
    if value is None:
        return "None"
    if type(value) is float and math.isnan(value):
        return "NaN"
    name = type(value).__name__
    return {"NaTType": "NaT", "NAType": "NA"}.get(name, "")


def values_to_json(values: Any, field: Field, where: str) -> list[Any]:
    """A 1-d array, Series or Index as a list; `field` is that of `values` itself."""
    import numpy as np

    dtype = field["dtype"]
    if dtype == "object":
        return objects_to_json(values, field.get("missing", "NaN"), where)
    if dtype == "bytes":
        from .plain import bytes_text

        return [bytes_text(value) for value in values.tolist()]
    if isinstance(values, np.ndarray):
        return array_to_json(values)
    if dtype == "category":
        inner = values_to_json(values.cat.categories, field["of"], where)
        return [inner[code] if code >= 0 else None for code in values.cat.codes]
    if dtype in ("str", "string"):
        return [None if missing else str(value) for value, missing in zip(values, values.isna(), strict=True)]
    if dtype in NULLABLE_NUMBERS:
        plain, missing = array_to_json(values.array._data), values.array._mask.tolist()
        # NaN and NA are two things in a nullable float column; NA is null, so NaN is spelled out.
        return [
            None if gone else ("NaN" if value is None else value)
            for value, gone in zip(plain, missing, strict=True)
        ]
    if dtype.startswith("datetime64["):
        return [None if missing else iso(value) for value, missing in zip(values, values.isna(), strict=True)]
    return array_to_json(np.asarray(values))


def array_to_json(array: Any) -> list[Any]:
    """A 1-d numpy array of bools, numbers, texts, times or durations."""
    import numpy as np

    kind = array.dtype.kind
    if kind in "mM":
        missing = np.isnat(array)
        listed = np.datetime_as_string(array).tolist() if kind == "M" else array.astype("int64").tolist()
        return [None if gone else value for value, gone in zip(listed, missing.tolist(), strict=True)]
    listed = array.tolist()
    if kind == "f" and not np.isfinite(array).all():
        return [value if math.isfinite(value) else non_finite_json(value) for value in listed]
    return list(listed)


def objects_to_json(values: Any, missing: str, where: str) -> list[Any]:
    from .encoding import natural, self_described

    cells = []
    for i, value in enumerate(values):
        name = missing_name(value)
        try:
            if name:
                cells.append(None if name == missing else self_described(value))
            else:
                cells.append(natural(value))
        except CodecError as error:
            raise error.inside(f"{where}, row {i}") from error
    return cells


def iso(moment: Any) -> str:
    if moment.tzinfo is None:
        return str(moment.isoformat())
    return str(moment.tz_convert("UTC").tz_localize(None).isoformat()) + "Z"


def non_finite_json(value: float) -> str | None:
    if is_null(value):
        return None
    return "Infinity" if value > 0 else "-Infinity"
