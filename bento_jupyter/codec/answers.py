"""Answers: as promised, or saying themselves what they are; plain JSON wherever that is enough."""

from __future__ import annotations

from typing import Any

from .decoding import any_from_json, decode, placed, self_described_from_json
from .describing import conforms, index_part
from .descriptors import FREE_KINDS, TYPE_KEY, CodecError, Descriptor, is_envelope
from .encoding import encode, identical, natural, self_described
from .encoding import placed as placing
from .models import is_model, model_to_json

__all__ = ["decode_answer", "encode_answer"]

#: Python's values that JSON may have by itself.
NATURAL = (type(None), bool, int, float, str, list, dict)
#: Their JSON tells whole numbers and floats apart, whichever was promised.
NUMBERS = frozenset({"int", "float"})
ANY: Descriptor = {"kind": "any"}
#: Kinds of values that dicts are, or may be in.
HOLDERS = frozenset({"record", "mapping", "model", "list", "tuple", "optional"})
SEQUENCES: dict[str, type] = {"list": list, "tuple": tuple}


def encode_answer(value: Any, descriptor: Descriptor) -> Any:
    """`encode`, of answers: what is not as its descriptor promises comes back as it was all the same.

    A function may answer once with text and once with None; the schema knows what it did with the sample.
    What JSON has by itself is written as such, for curl's sake, unless it would be read as what was promised:
    a text where a time is promised. Such values, and all that JSON has not, say themselves what they are.

    Raises:
        CodecError: The value is of a kind that cannot be carried.

    Example:
        >>> encode_answer({"label": None}, {"kind": "record", "fields": {"label": {"kind": "int"}}})
        {'label': None}
        >>> encode_answer("2024-02-29", {"kind": "date"})
        {'$type': {'kind': 'str'}, 'value': '2024-02-29'}
    """
    if not conforms(value, descriptor) and carries_index(value, descriptor):
        data = encode(value, descriptor)
        return self_described(value) if hides_envelope(data, descriptor) else data
    if descriptor["kind"] == "optional" and value is not None:
        return encode_answer(value, descriptor["of"])
    fields = fields_of(descriptor, value) if is_object(value) else None
    if fields is not None:
        return {
            key: placing(f"field {key!r}", encode_answer, item, fields[key]) for key, item in value.items()
        }
    is_sequence = type(value) is SEQUENCES.get(descriptor["kind"])
    items = items_of(descriptor, len(value)) if is_sequence else None
    if items is not None:
        pairs = enumerate(zip(value, items, strict=True))
        return [placing(f"item {i}", encode_answer, item, wanted) for i, (item, wanted) in pairs]
    if type(value) in NATURAL or is_model(value):
        data = natural(value)
        meant = model_to_json(value) if is_model(value) else value
        if identical(decode_answer(data, descriptor), meant):
            return data
    return self_described(value)


def decode_answer(data: Any, descriptor: Descriptor, *, index: Any = None) -> Any:
    """`decode`, of what `encode_answer` wrote.

    Args:
        data: What came over the wire.
        descriptor: What is promised.
        index: Index for a frame or series of the same length that came without; None = 0, 1, 2, ...

    Raises:
        CodecError: It says wrongly what it is.
    """
    if is_envelope(data):
        return self_described_from_json(data)
    kind = descriptor["kind"]
    if kind == "optional":
        return None if data is None else decode_answer(data, descriptor["of"])
    if isinstance(data, dict) and (fields := fields_of(descriptor, data)) is not None:
        return {key: placed(f"field {key!r}", item, decode_answer, fields[key]) for key, item in data.items()}
    if isinstance(data, list) and (items := items_of(descriptor, len(data))) is not None:
        pairs = enumerate(zip(data, items, strict=True))
        found = [placed(f"item {i}", item, decode_answer, wanted) for i, (item, wanted) in pairs]
        return tuple(found) if kind == "tuple" else found
    if kind in NUMBERS and type(data) in (int, float):
        return any_from_json(data)
    try:
        return decode(data, loosened(descriptor), index=index)
    except CodecError:
        if kind in FREE_KINDS:
            raise
        return any_from_json(data)


def is_object(value: Any) -> bool:
    """Is it a dict such as JSON has, which does not seem to say what it is?"""
    return (
        type(value) is dict and value.keys() != {TYPE_KEY, "value"} and all(type(key) is str for key in value)
    )


def hides_envelope(data: Any, descriptor: Descriptor) -> bool:
    """Would `decode_answer` take a dict that was answered for one that says what it is?"""
    kind = descriptor["kind"]
    if kind == "optional":
        return hides_envelope(data, descriptor["of"])
    if kind not in HOLDERS:
        return False
    if isinstance(data, dict):
        fields = fields_of(descriptor, data) or {}
        return is_envelope(data) or any(hides_envelope(data[key], fields[key]) for key in fields)
    if not isinstance(data, list):
        return False
    items = items_of(descriptor, len(data)) or []
    return any(hides_envelope(*pair) for pair in zip(data, items, strict=False) if pair[1]["kind"] in HOLDERS)


def fields_of(descriptor: Descriptor, found: dict[str, Any]) -> dict[str, Descriptor] | None:
    """What is promised of each field of a dict; None when no dict with texts as keys is."""
    known: dict[str, Descriptor] = {}
    if descriptor["kind"] == "record":
        known, other = descriptor["fields"], ANY
    elif descriptor["kind"] == "mapping" and "keys" not in descriptor:
        other = descriptor["values"]
    else:
        return None
    return {key: known.get(key, other) for key in found}


def items_of(descriptor: Descriptor, length: int) -> list[Descriptor] | None:
    """What is promised of each item; None when no list or tuple of this length is."""
    if descriptor["kind"] not in ("list", "tuple"):
        return None
    items = descriptor["items"]
    if not isinstance(items, list):
        return [items] * length
    return items if len(items) == length else None


def carries_index(value: Any, descriptor: Descriptor) -> bool:
    """Would the row labels of a frame or series be told?"""
    if descriptor["kind"] not in ("frame", "series"):
        return True
    have, want = index_part(value.index).get("index", []), descriptor.get("index", [])
    if not have:
        return True
    return [(level["name"], level["dtype"]) for level in have] == [
        (level["name"], level["dtype"]) for level in want
    ]


def loosened(descriptor: Descriptor) -> Descriptor:
    """A descriptor that says what a value is, without what was asked of requests only."""
    columns = descriptor.get("columns")
    kept = {key: item for key, item in descriptor.items() if key not in ("nullable", "types")}
    if isinstance(columns, list) and descriptor["kind"] == "frame":
        kept["columns"] = [
            {key: item for key, item in column.items() if key not in ("nullable", "types")}
            for column in columns
        ]
    return kept
