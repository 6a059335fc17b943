"""What a value is: descriptors, and what of it JSON can carry exactly."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import Any

__all__ = ["CodecError", "Descriptor", "conforms", "describe"]

Descriptor = dict[str, Any]
Field = dict[str, Any]

NULLABLE_NUMBERS = frozenset(
    ["boolean", "Float32", "Float64", *(f"{sign}Int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64))]
)
PLAIN_TYPES = (str, bool, int, float)
SCALARS = {str: "str", bool: "bool", int: "int64", float: "float64"}
#: Kinds of which no dtypes are known: what other services' schemas say.
FREE_KINDS = ("json", "records")


class CodecError(ValueError):
    """A value does not fit its descriptor, or is of a kind that JSON cannot carry exactly."""


def describe(value: Any) -> Descriptor:
    """The descriptor of an array, frame, series or scalar; its number of rows is left free.

    Args:
        value: numpy array or scalar, pandas DataFrame or Series, or a Python number, text or bool.

    Raises:
        CodecError: For what JSON cannot carry exactly, such as complex numbers, periods or nested objects.

    Example:
        >>> import numpy as np
        >>> describe(np.zeros((5, 4)))
        {'kind': 'array', 'dtype': 'float64', 'shape': [-1, 4]}
    """
    import numpy as np

    if isinstance(value, np.generic):  # first: some are Python's numbers and texts, too
        return {"kind": "scalar", **array_field(np.asarray(value), "the value")}
    if type(value) in SCALARS:
        return {"kind": "scalar", "dtype": SCALARS[type(value)]}
    if isinstance(value, np.ndarray):
        field = array_field(value, "the array")
        return {"kind": "scalar", **field} if value.ndim == 0 else {
            "kind": "array", **field, "shape": [-1, *value.shape[1:]]
        }  # fmt: skip
    if is_pandas(value, "Series"):
        return {
            "kind": "series",
            "name": column_name(value.name, optional=True),
            **column_field(value, "the series"),
        }
    if is_pandas(value, "DataFrame"):
        names = [column_name(name) for name in value.columns]
        if len({str(name) for name in names}) < len(names):
            raise CodecError("two columns have the same name")
        columns = [
            {"name": name, **column_field(value.iloc[:, i], f"column {name!r}")}
            for i, name in enumerate(names)
        ]
        return {"kind": "frame", "columns": columns}
    raise CodecError(
        f"{type_name(value)} is neither an array, a DataFrame, a Series nor a number, text or bool"
    )


def conforms(value: Any, descriptor: Descriptor) -> str:
    """Why `value` is not what `descriptor` promises: kind, dtype, width, columns; "" when it is."""
    if descriptor["kind"] in FREE_KINDS:
        return ""
    try:
        found = describe(value)
    except CodecError as error:
        return str(error)
    if found["kind"] != descriptor["kind"]:
        return f"it is of kind {found['kind']}, {descriptor['kind']} is promised"
    if found.get("shape", [])[1:] != descriptor.get("shape", [])[1:]:
        return f"its shape is {found['shape']}, {descriptor['shape']} is promised"
    if found["kind"] == "frame":
        names, promised = ([column["name"] for column in d["columns"]] for d in (found, descriptor))
        if names != promised:
            return f"its columns are {names}, {promised} are promised"
        pairs = list(zip(found["columns"], descriptor["columns"], strict=True))
    else:
        pairs = [(found, descriptor)]
    for have, want in pairs:
        if have["dtype"] != want["dtype"]:
            where = f"column {want['name']!r} has" if found["kind"] == "frame" else "it has"
            return f"{where} dtype {have['dtype']}, {want['dtype']} is promised"
    return ""


def array_field(array: Any, where: str) -> Field:
    kind = array.dtype.kind
    if kind in "biu" or (kind == "f" and array.dtype.itemsize <= 8):
        return {"dtype": array.dtype.name}
    if kind == "U":
        return {"dtype": "str"}
    if kind == "O":
        return {"dtype": "object", "missing": missing_kind(array.ravel().tolist(), where)}
    raise CodecError(f"{where} has dtype {array.dtype}, which JSON cannot carry exactly")


def column_field(series: Any, where: str) -> Field:
    from .encoding import values_to_json

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
        return {"dtype": name}
    if isinstance(series.dtype, numpy_dtype()) and series.dtype.kind in "biufO":
        return array_field(series.to_numpy(), where)
    raise CodecError(f"{where} has dtype {name}, which JSON cannot carry exactly")


def missing_kind(values: Sequence[Any], where: str) -> str:
    """How an object column says "missing"; an encoder tells None and NaN apart, JSON has one null."""
    nulls = set()
    for value in values:
        if value is None:
            nulls.add("None")
        elif isinstance(value, float) and math.isnan(value):
            nulls.add("NaN")
        elif not isinstance(plain_value(value), PLAIN_TYPES):
            raise CodecError(f"{where} holds a {type_name(value)}, which JSON cannot carry exactly")
    if len(nulls) > 1:
        raise CodecError(f"{where} holds both None and NaN, which are one and the same null in JSON")
    return nulls.pop() if nulls else "NaN"


def column_name(name: Any, *, optional: bool = False) -> Any:
    name = plain_value(name)
    if (
        isinstance(name, str)
        or (isinstance(name, int) and not isinstance(name, bool))
        or (optional and name is None)
    ):
        return name
    raise CodecError(f"a column is called {name!r}; names must be text or whole numbers")


def check_columns(found: list[str], wanted: list[str], where: str) -> None:
    missing = [name for name in wanted if name not in found]
    extra = [name for name in found if name not in wanted]
    if missing or extra or len(found) != len(wanted):
        parts = [f"lacks the columns {missing}"] if missing else []
        parts += [f"has the unknown columns {extra}"] if extra else []
        raise CodecError(f"{where} {' and '.join(parts) or 'has a column twice'}")


def is_null(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def plain_value(value: Any) -> Any:
    """A numpy scalar as the Python value it is."""
    return (
        value.item()
        if hasattr(value, "item") and hasattr(value, "dtype") and not hasattr(value, "__len__")
        else value
    )


def is_pandas(value: Any, name: str) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, getattr(pandas, name))


def numpy_dtype() -> Any:
    import numpy as np

    return np.dtype


def type_name(value: Any) -> str:
    names = {"NoneType": "null", "str": "text", "bool": "true/false", "int": "a number", "float": "a number",
             "list": "a list", "dict": "an object"}  # fmt: skip
    return names.get(type(value).__name__, type(value).__name__)
