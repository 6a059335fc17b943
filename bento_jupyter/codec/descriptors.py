"""What a descriptor is: the kinds of values, and the names and checks that both directions share."""

from __future__ import annotations

import math
import sys
from typing import Any

__all__ = ["TYPE_KEY", "CodecError", "Descriptor", "Field"]

#: What a value is, as plain JSON; `kind` says which other keys there are.
Descriptor = dict[str, Any]
#: What a column, a series or the items of an array are: `dtype`, and what that needs.
Field = dict[str, Any]

#: A value that says itself what it is: `{"$type": descriptor, "value": its JSON}`.
TYPE_KEY = "$type"

NULLABLE_NUMBERS = frozenset(
    ["boolean", "Float32", "Float64", *(f"{sign}Int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64))]
)
#: What JSON has values for.
PLAIN_TYPES = (str, bool, int, float)
#: How floats that JSON has no numbers for are written.
NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
#: Kinds with rows: what Arrow carries.
TABLES = frozenset({"array", "frame", "series"})
#: Kinds that say nothing of the value: what other services' schemas come to.
FREE_KINDS = frozenset({"json", "records"})


def is_envelope(data: Any) -> bool:
    """Does JSON say itself what it is? A mere key `$type` does not make it so."""
    return isinstance(data, dict) and data.keys() == {TYPE_KEY, "value"} and isinstance(data[TYPE_KEY], dict)


class CodecError(ValueError):
    """A value does not fit its descriptor, or is of a kind that cannot be carried exactly."""

    def inside(self, place: str) -> CodecError:
        """The same, said of a place further out."""
        return type(self)(f"{place}: {self}")


def check_columns(found: list[str], wanted: list[str], where: str, noun: str = "columns") -> None:
    """Raise unless the names are the same, in any order."""
    missing = [name for name in wanted if name not in found]
    extra = [name for name in found if name not in wanted]
    if missing or extra or len(found) != len(wanted):
        parts = [f"lacks the {noun} {missing}"] if missing else []
        parts += [f"has the unknown {noun} {extra}"] if extra else []
        raise CodecError(f"{where} {' and '.join(parts) or f'has one of the {noun} twice'}")


def is_null(value: Any) -> bool:
    """Is it None or NaN?"""
    return value is None or (isinstance(value, float) and math.isnan(value))


def plain_value(value: Any) -> Any:
    """A numpy scalar as the Python value it is."""
    return (
        value.item()
        if hasattr(value, "item") and hasattr(value, "dtype") and not hasattr(value, "__len__")
        else value
    )


def is_pandas(value: Any, name: str) -> bool:
    """Is it of this class of pandas? Never imports it: a frame cannot come without it."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, getattr(pandas, name))


def type_name(value: Any) -> str:
    """The type of a value in words of JSON."""
    names = {"NoneType": "null", "str": "text", "bool": "true/false", "int": "a number", "float": "a number",
             "list": "a list", "dict": "an object"}  # fmt: skip
    return names.get(type(value).__name__, type(value).__name__)


def class_name(value: Any) -> str:
    """The full name of a value's class; builtins without their module."""
    return f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
