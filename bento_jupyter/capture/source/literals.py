"""Values that become code: small, exact when they are read back."""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import functools
import math
import pathlib
import re
import sys
import uuid
from collections.abc import Callable
from typing import Any

__all__ = ["LIMIT", "NotLiteral", "literal"]

#: Longest text of a value, in characters; what is longer goes along as a file.
LIMIT = 4096
#: Deepest nesting.
DEPTH = 20

#: Gives the name under which the emitted code knows a function, class or module, or raises `NotLiteral`.
NameOf = Callable[[Any], str]

DATETIMES = (datetime.datetime, datetime.date, datetime.time, datetime.timedelta, datetime.timezone)


class NotLiteral(Exception):
    """The value has no exact text, or too long a one."""


def literal(value: Any, name_of: NameOf, object_of: NameOf | None = None) -> str:
    """An expression that makes a value equal to `value`, of the same types.

    Args:
        value: What is to be written.
        name_of: Called for functions, classes, modules and shared containers inside it.
        object_of: Called for what else in it has no text, e.g. an array; None = the whole value has none.

    Raises:
        NotLiteral: It has no exact text of at most `LIMIT` characters.

    Example:
        >>> literal({"a": (1, float("inf"))}, name_of=repr)
        "{'a': (1, float('inf'))}"
    """
    text = Writer(name_of, object_of).write(value)
    if len(text) > LIMIT:
        raise NotLiteral(f"{len(text)} characters")
    return text


class Writer:
    """Writes one value.

    Args:
        name_of: As for `literal`.
        object_of: As for `literal`.
    """

    def __init__(self, name_of: NameOf, object_of: NameOf | None) -> None:
        self._name_of = name_of
        self._object_of = object_of

    def write(self, value: Any, around: tuple[int, ...] = ()) -> str:
        """Text of a value; `around` are the ids of what it is inside of."""
        if len(around) > DEPTH or id(value) in around:
            raise NotLiteral("nested too deeply, or in itself")
        kind = type(value)
        if value is None or value is Ellipsis or value is NotImplemented or kind is bool:
            return repr(value)
        if kind in (int, str, bytes):
            if kind is int and value.bit_length() > LIMIT * 3:
                raise NotLiteral("too long")
            if kind is not int and len(value) > LIMIT:
                raise NotLiteral("too long")
            return repr(value)
        if kind is float:
            return _float(value)
        if kind is complex:
            return f"complex({_float(value.real)}, {_float(value.imag)})"

        def item(part: Any) -> str:
            return self._item(part, (*around, id(value)))

        if kind in (list, tuple, dict, set, frozenset, bytearray):
            if len(value) > LIMIT // 2:
                raise NotLiteral("too long")
            return _container(value, kind, item)
        if kind is range:
            parts = [value.start, value.stop, value.step]
            return f"range({', '.join(map(str, parts[: 3 if value.step != 1 else 2]))})"
        if kind is slice:
            return f"slice({', '.join(map(item, (value.start, value.stop, value.step)))})"
        if isinstance(value, enum.Enum):
            return _member(value, kind, self._name_of)
        return _library(value, kind, self._name_of, item, nested=bool(around))

    def _item(self, value: Any, around: tuple[int, ...]) -> str:
        """A part of a container: by name, if it is known by one."""
        if isinstance(value, (list, dict, set, bytearray)):
            try:
                return self._name_of(value)
            except NotLiteral:
                pass
        try:
            return self.write(value, around)
        except NotLiteral:
            if self._object_of is None or id(value) in around:
                raise
            return self._object_of(value)


def _float(value: float) -> str:
    if math.isnan(value):
        return "float('nan')" if math.copysign(1, value) > 0 else "-float('nan')"
    if math.isinf(value):
        return "float('inf')" if value > 0 else "float('-inf')"
    return repr(value)


def _container(value: Any, kind: type, item: Callable[[Any], str]) -> str:
    if kind is dict:
        return "{" + ", ".join(f"{item(key)}: {item(part)}" for key, part in value.items()) + "}"
    if kind is bytearray:
        return f"bytearray({bytes(value)!r})"
    if kind in (set, frozenset):
        # Sorted by their text: the order of a set is not the same from one process to the next.
        inside = ", ".join(sorted(item(part) for part in value))
        if kind is set:
            return f"{{{inside}}}" if value else "set()"
        return f"frozenset({{{inside}}})" if value else "frozenset()"
    inside = ", ".join(item(part) for part in value)
    if kind is list:
        return f"[{inside}]"
    return f"({inside},)" if len(value) == 1 else f"({inside})"


def _member(value: enum.Enum, kind: type[enum.Enum], name_of: NameOf) -> str:
    if value.name is None or value.name not in kind.__members__ or "|" in value.name:  # a combined flag
        inner = value.value
        if type(inner) is int:
            return f"{name_of(kind)}({inner})"
        raise NotLiteral("an unnamed member")
    return (
        f"{name_of(kind)}.{value.name}" if value.name.isidentifier() else f"{name_of(kind)}[{value.name!r}]"
    )


def _library(value: Any, kind: type, name_of: NameOf, item: Callable[[Any], str], *, nested: bool) -> str:
    """Values of the standard library and numpy, by their constructor."""
    if kind is re.Pattern:
        flags = value.flags & ~(re.UNICODE if isinstance(value.pattern, str) else 0)
        written = f", {int(flags)}" if flags else ""
        return f"{name_of(re)}.compile({value.pattern!r}{written})"
    if kind in DATETIMES:
        if (
            kind is not datetime.timezone
            and getattr(value, "tzinfo", None) is not None
            and type(value.tzinfo) not in (datetime.timezone, *_zone())
        ):
            raise NotLiteral("a time zone of its own kind")
        return _datetime(value, name_of)
    if kind in _zone() and value.key:
        return f"{name_of(sys.modules['zoneinfo'])}.ZoneInfo({value.key!r})"
    if kind in (decimal.Decimal, uuid.UUID):
        return f"{name_of(kind)}({str(value)!r})"
    if kind is fractions.Fraction:
        return f"{name_of(kind)}({value.numerator}, {value.denominator})"
    if isinstance(value, pathlib.PurePath) and kind.__module__.partition(".")[0] == "pathlib":
        public = pathlib.Path if isinstance(value, pathlib.Path) else kind
        return f"{name_of(public)}({str(value)!r})"
    if kind is functools.partial and not vars(value):
        given = [value.func, *value.args]
        words = [f"{key}={item(part)}" for key, part in value.keywords.items()]
        return f"{name_of(kind)}({', '.join([*map(item, given), *words])})"
    numpy = sys.modules.get("numpy")
    if numpy is not None and hasattr(numpy, "generic"):
        if (
            isinstance(value, numpy.dtype)
            and value.names is None
            and value.subdtype is None
            and not value.metadata
        ):
            return f"{name_of(numpy)}.dtype({value.str!r})"
        if isinstance(value, numpy.generic) and kind.__module__ == "numpy":
            return _numpy(value, name_of(numpy), numpy)
    if nested and (isinstance(value, type) or callable(value) or kind.__name__ == "module"):
        return name_of(value)
    raise NotLiteral(f"a {kind.__name__}")


def _zone() -> tuple[type, ...]:
    zoneinfo = sys.modules.get("zoneinfo")
    return (zoneinfo.ZoneInfo,) if zoneinfo is not None else ()


def _datetime(value: Any, name_of: NameOf) -> str:
    module = name_of(datetime)
    kind = type(value)
    if kind is datetime.timezone:
        if value is datetime.timezone.utc:
            return f"{module}.timezone.utc"
        offset, name = value.utcoffset(None), value.tzname(None)
        plain = datetime.timezone(offset).tzname(None)
        named = f", {name!r}" if name != plain else ""
        return f"{module}.timezone({_datetime(offset, name_of)}{named})"
    if kind is datetime.timedelta:
        return f"{module}.timedelta({value.days}, {value.seconds}, {value.microseconds})"
    names = {
        datetime.date: ("year", "month", "day"),
        datetime.time: ("hour", "minute", "second", "microsecond"),
        datetime.datetime: ("year", "month", "day", "hour", "minute", "second", "microsecond"),
    }[kind]
    parts = [str(getattr(value, name)) for name in names]
    zone = getattr(value, "tzinfo", None)
    if zone is not None:
        parts.append(f"tzinfo={_library(zone, type(zone), name_of, str, nested=True)}")
    if getattr(value, "fold", 0):
        parts.append("fold=1")
    return f"{module}.{kind.__name__}({', '.join(parts)})"


def _numpy(value: Any, numpy_name: str, numpy: Any) -> str:
    kind = type(value)
    if kind is numpy.bool_:
        return f"{numpy_name}.bool_({bool(value)})"
    if issubclass(kind, numpy.integer) and not issubclass(kind, numpy.timedelta64):
        return f"{numpy_name}.{kind.__name__}({int(value)})"
    if kind in (numpy.float16, numpy.float32, numpy.float64):
        return f"{numpy_name}.{kind.__name__}({_float(float(value))})"
    if kind in (numpy.complex64, numpy.complex128):
        return (
            f"{numpy_name}.{kind.__name__}(complex({_float(float(value.real))}, {_float(float(value.imag))}))"
        )
    if kind is numpy.str_:
        return f"{numpy_name}.str_({str(value)!r})"
    if kind is numpy.bytes_:
        return f"{numpy_name}.bytes_({bytes(value)!r})"
    if kind in (numpy.datetime64, numpy.timedelta64):
        unit, count = numpy.datetime_data(value.dtype)
        step = unit if count == 1 else f"{count}{unit}"
        if unit == "generic":
            raise NotLiteral("a time without a unit")
        number = "'NaT'" if numpy.isnat(value) else str(int(value.astype("int64")))
        return f"{numpy_name}.{kind.__name__}({number}, {step!r})"
    raise NotLiteral(f"a {kind.__name__}")
