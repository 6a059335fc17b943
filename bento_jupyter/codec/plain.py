"""Python's plain values: numbers, text, bytes, times, identifiers."""

from __future__ import annotations

import base64
import binascii
import datetime
import decimal
import math
import re
import uuid
from typing import Any

from .descriptors import NON_FINITE, CodecError, Descriptor, class_name, type_name

__all__ = ["PLAIN", "bytes_of", "bytes_text", "describe_plain", "plain_from_json", "plain_to_json"]

#: Python's types by the kind that describes them; exactly these, no subclasses.
PLAIN: dict[type, str] = {
    type(None): "none",
    bool: "bool",
    int: "int",
    float: "float",
    str: "str",
    bytes: "bytes",
    datetime.datetime: "datetime",
    datetime.date: "date",
    datetime.time: "time",
    datetime.timedelta: "timedelta",
    decimal.Decimal: "decimal",
    uuid.UUID: "uuid",
}
KINDS = {kind: cls for cls, kind in PLAIN.items()}
WANTED = {
    "none": "null",
    "bool": "true or false",
    "int": "a whole number",
    "float": 'a number, "NaN", "Infinity" or "-Infinity"',
    "str": "text",
    "bytes": "base64 text",
    "datetime": "a time as ISO 8601 text",
    "date": "a date as ISO 8601 text",
    "time": "a time of day as ISO 8601 text",
    "timedelta": "a duration as ISO 8601 text (P1DT2.5S)",
    "decimal": "a decimal number as text",
    "uuid": "a UUID as text",
}
DURATION = re.compile(r"(-?)P(\d+)DT(\d+)(?:\.(\d{1,6}))?S", re.ASCII)
#: Digits that Python turns into a whole number and back without being asked twice.
MOST_DIGITS = 4300


def describe_plain(value: Any) -> Descriptor:
    """The descriptor of a plain value.

    Raises:
        CodecError: It is of a time zone that cannot be carried.
    """
    kind = PLAIN[type(value)]
    if kind == "datetime" and value.tzinfo is not None:
        zone = getattr(value.tzinfo, "key", None) or "offset"
        return {"kind": kind, "zone": zone}
    if kind == "time" and value.tzinfo is not None:
        if value.utcoffset() is None:
            raise CodecError(f"a time of day in {value.tzinfo} has no offset from UTC")
        return {"kind": kind, "zone": "offset"}
    if kind == "int" and value.bit_length() > MOST_DIGITS * 3:
        raise CodecError("a whole number has more than 3,800 digits")
    return {"kind": kind}


def plain_to_json(value: Any, descriptor: Descriptor) -> Any:
    """The JSON of a plain value; whole numbers go where floats do.

    Raises:
        CodecError: It is of another type.
    """
    kind = descriptor["kind"]
    if kind == "float" and type(value) is int:
        if descriptor.get("whole"):
            return value
        value = as_float(value)
    given: type = type(value)
    if given is not KINDS[kind]:
        raise CodecError(f"{shown(value)} is {spoken(value)}, {WANTED[kind]} is wanted")
    if kind in ("none", "bool", "str"):
        if kind == "str":
            check_text(value)
        return value
    if kind == "int":
        describe_plain(value)
        return value
    if kind == "float":
        return (
            value
            if math.isfinite(value)
            else ("NaN" if math.isnan(value) else str(value).replace("inf", "Infinity"))
        )
    if kind == "bytes":
        return bytes_text(value)
    if kind == "timedelta":
        return duration_text(value)
    if kind in ("datetime", "time"):
        check_zone(value, descriptor)
    return value.isoformat() if kind in ("datetime", "date", "time") else str(value)


def plain_from_json(data: Any, descriptor: Descriptor) -> Any:
    """The plain value that JSON stands for.

    Raises:
        CodecError: It stands for none.
    """
    kind = descriptor["kind"]
    given = type(data)
    if kind in ("none", "bool", "str"):
        if given is KINDS[kind]:
            return data
        raise refused(data, kind)
    if kind == "int":
        if given is int:
            return data
        if given is float and data.is_integer() and abs(data) <= 2**53:
            return int(data)
        raise refused(data, kind)
    if kind == "float":
        if given is float and not math.isinf(data):
            return data
        if given is int:
            return data if descriptor.get("whole") else as_float(data)
        if given is str and data in NON_FINITE:
            return NON_FINITE[data]
        raise refused(data, kind)
    if kind == "decimal" and given is int:
        data, given = str(data), str
    if given is not str:
        raise refused(data, kind)
    try:
        return text_to_plain(data, descriptor)
    except (ValueError, ArithmeticError, KeyError, OSError) as error:
        if isinstance(error, CodecError):
            raise
        raise refused(data, kind) from error


def text_to_plain(text: str, descriptor: Descriptor) -> Any:
    kind = descriptor["kind"]
    if kind == "bytes":
        return bytes_of(text)
    if kind == "decimal":
        return decimal.Decimal(text)
    if kind == "uuid":
        return uuid.UUID(text)
    if kind == "timedelta":
        return duration_of(text)
    if kind == "date":
        return datetime.date.fromisoformat(text)
    value = KINDS[kind].fromisoformat(re.sub("[zZ]$", "+00:00", text))  # type: ignore[attr-defined]
    check_zone(value, descriptor, text)
    zone = descriptor.get("zone", "offset")
    if kind == "datetime" and zone != "offset":
        import zoneinfo

        return value.astimezone(zoneinfo.ZoneInfo(zone))
    return value


def as_float(number: int) -> float:
    try:
        return float(number)
    except OverflowError as error:
        raise CodecError("a number is too large for a float") from error


def check_zone(value: Any, descriptor: Descriptor, text: str = "") -> None:
    if (value.tzinfo is None) == ("zone" in descriptor):
        must = "must" if "zone" in descriptor else "must not"
        raise CodecError(f"{text or value.isoformat()!r} {must} have an offset from UTC")


def check_text(text: str) -> None:
    if not text.isascii() and re.search("[\ud800-\udfff]", text):
        raise CodecError(f"{text[:40]!r} holds half of a surrogate pair, which is no text")


def bytes_text(data: bytes) -> str:
    """Bytes as base64."""
    return base64.b64encode(data).decode("ascii")


def bytes_of(text: str) -> bytes:
    """The bytes of base64.

    Raises:
        CodecError: It is none.
    """
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise CodecError(f"{text[:40]!r} is not base64") from error


def duration_text(span: datetime.timedelta) -> str:
    sign, span = ("-", -span) if span < datetime.timedelta() else ("", span)
    part = f".{span.microseconds:06d}" if span.microseconds else ""
    return f"{sign}P{span.days}DT{span.seconds}{part}S"


def duration_of(text: str) -> datetime.timedelta:
    found = DURATION.fullmatch(text)
    if not found:
        raise ValueError(text)
    sign, days, seconds, part = found.groups()
    span = datetime.timedelta(
        days=int(days), seconds=int(seconds), microseconds=int((part or "0").ljust(6, "0"))
    )
    return -span if sign else span


def refused(data: Any, kind: str) -> CodecError:
    return CodecError(f"{shown(data)} is {type_name(data)}, {WANTED[kind]} is wanted")


def spoken(value: Any) -> str:
    said = type_name(value)
    return class_name(value) if said == type(value).__name__ else said


def shown(value: Any, most: int = 60) -> str:
    """A value as short text."""
    try:
        text = repr(value)
    except ValueError:  # more digits than Python writes
        return "a very long number"
    return text if len(text) <= most else f"{text[: most - 1]}…"
