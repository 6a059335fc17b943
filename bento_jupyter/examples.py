"""What a Bento can be asked, with an example of each request: read from the schema in its manifest."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from .views import EndpointView

__all__ = ["endpoints_of", "example_of"]

#: Characters of JSON beyond which an example helps nobody.
LARGEST_EXAMPLE = 2000
#: Values for the types of JSON schema, and for the dtypes that frames and arrays are made of.
PLAIN = {
    "integer": 0,
    "number": 0.0,
    "string": "text",
    "boolean": False,
    "null": None,
    "object": {},
    "array": [],
}
#: Texts of formats.
FORMATS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00",
    "duration": "PT1S",
    "email": "ada@example.com",
    "time": "12:00:00",
    "uri": "https://example.com/",
    "uuid": "12345678-1234-5678-1234-567812345678",
}
#: Inputs that are sent as parts of a form or as files, not as JSON.
NOT_JSON = frozenset({"file"})


def endpoints_of(manifest: Mapping[str, Any]) -> list[EndpointView]:
    """The endpoints of a Bento, `predict` first.

    Args:
        manifest: Of the Bento, as the client pushed it.
    """
    routes: Sequence[Mapping[str, Any]] = (manifest.get("schema") or {}).get("routes") or []
    found = [
        EndpointView(
            name=str(route.get("name", "")),
            route=str(route.get("route", "")),
            example=_body(route.get("input") or {}),
        )
        for route in routes
        if route.get("route")
    ]
    return sorted(found, key=lambda endpoint: (endpoint.name != "predict", endpoint.name))


def _body(schema: Mapping[str, Any]) -> str:
    """An example of a request; "" where the schema is of a shape that no request can be made of."""
    try:
        return _body_of(schema)
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError):
        return ""


def _body_of(schema: Mapping[str, Any]) -> str:
    fields = schema.get("properties") or {}
    if any(field.get("type") in NOT_JSON for field in fields.values()):
        return ""
    if schema.get("root_input"):
        value = example_of(schema)
    else:
        value = {name: example_of(field, schema.get("$defs") or {}) for name, field in fields.items()}
    text = json.dumps(value)
    return text if len(text) <= LARGEST_EXAMPLE else ""


def example_of(schema: Mapping[str, Any], definitions: Mapping[str, Any] | None = None) -> Any:
    """A value that a JSON schema (with BentoML's `tensor` and `dataframe`) allows, as JSON.

    Args:
        schema: The schema of the value.
        definitions: What its `$ref`s refer to.

    Example:
        >>> example_of({"type": "tensor", "dtype": "float64", "shape": [-1, 2]})
        [[0.0, 0.0]]
    """
    definitions = definitions or {}
    for key in ("default", "example", "const"):
        if key in schema:
            return schema[key]
    if schema.get("examples") or schema.get("enum"):
        return (schema.get("examples") or schema["enum"])[0]
    if "$ref" in schema:
        # A definition may refer to itself: it is taken away before it is looked into.
        name = str(schema["$ref"]).rpartition("/")[2]
        rest = {key: value for key, value in definitions.items() if key != name}
        return example_of(definitions.get(name) or {}, rest)
    if options := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
        return example_of(options[0], definitions)
    if schema.get("type") == "tensor":
        value: Any = _cell(str(schema.get("dtype") or "float64"))
        shape = [1 if size < 0 else int(size) for size in schema.get("shape") or [-1]]
        if math.prod(shape) > LARGEST_EXAMPLE:
            raise ValueError(f"{shape} is too large for an example")
        for size in reversed(shape):
            value = [value] * size
        return value
    if schema.get("type") == "dataframe":
        columns = (schema.get("descriptor") or {}).get("columns") or []
        row = {str(column["name"]): _cell(str(column.get("dtype", ""))) for column in columns}
        return [row or dict.fromkeys(map(str, schema.get("columns") or ["column"]), 0)]
    if schema.get("type") == "object" and schema.get("properties"):
        return {name: example_of(field, definitions) for name, field in schema["properties"].items()}
    if schema.get("type") == "array" and schema.get("items"):
        return [example_of(schema["items"], definitions)]
    if schema.get("type") in ("integer", "number"):
        return _number(schema)
    if schema.get("type") == "string":
        return _text(schema)
    return PLAIN.get(str(schema.get("type")), "text")


def _number(schema: Mapping[str, Any]) -> int | float:
    """A number that its schema allows, 0 if possible: the first of some that lie near its bounds."""
    whole, step = schema["type"] == "integer", schema.get("multipleOf") or 1
    least, above = (_bound(schema, name, -math.inf) for name in ("minimum", "exclusiveMinimum"))
    most, below = (_bound(schema, name, math.inf) for name in ("maximum", "exclusiveMaximum"))
    multiple = schema.get("multipleOf") or (1 if whole else 0)
    near: list[float] = [0]
    if math.isfinite(low := max(least, above)):
        near += [low, low + 1, math.ceil(low / step) * step, (math.floor(low / step) + 1) * step]
    if math.isfinite(high := min(most, below)):
        near += [high, high - 1, math.floor(high / step) * step, (math.ceil(high / step) - 1) * step]
    near += [(low + high) / 2] if math.isfinite(high - low) else []
    for value in near:
        if least <= value <= most and above < value < below and not (multiple and value % multiple):
            return int(value) if whole else float(value)
    return 0 if whole else 0.0


def _bound(schema: Mapping[str, Any], name: str, otherwise: float) -> float:
    value: float | None = schema.get(name)
    return otherwise if value is None else value


def _text(schema: Mapping[str, Any]) -> str:
    """A text of the format and length that its schema wants; of a pattern it cannot be made."""
    text = FORMATS.get(str(schema.get("format")), "text")
    return text.ljust(int(schema.get("minLength") or 0), "t")[
        : int(schema.get("maxLength") or LARGEST_EXAMPLE)
    ]


def _cell(dtype: str) -> Any:
    """A value of a dtype of numpy or pandas."""
    name = dtype.lower()
    if name.startswith(("int", "uint")):
        return 0
    if name.startswith("bool"):
        return False
    if name.startswith("datetime"):
        return "2026-01-31T12:00:00"
    return 0.0 if name.startswith("float") or not name else "text"
