"""Descriptors as JSON schemas, and the service's own documentation with both forms of its requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .descriptors import NULLABLE_NUMBERS, TABLES, Descriptor, Field

__all__ = ["document", "json_schema"]

PLAIN: dict[str, dict[str, Any]] = {
    "none": {"type": "null"},
    "bool": {"type": "boolean"},
    "int": {"type": "integer"},
    "float": {"anyOf": [{"type": "number"}, {"enum": ["NaN", "Infinity", "-Infinity"]}]},
    "str": {"type": "string"},
    "bytes": {"type": "string", "format": "byte", "description": "base64"},
    "datetime": {"type": "string", "format": "date-time"},
    "date": {"type": "string", "format": "date"},
    "time": {"type": "string", "format": "time"},
    "timedelta": {"type": "string", "format": "duration"},
    "decimal": {"type": "string", "description": "a decimal number"},
    "uuid": {"type": "string", "format": "uuid"},
    "image": {"type": "string", "format": "binary"},
    "file": {"type": "string", "format": "binary"},
}


def json_schema(descriptor: Descriptor) -> dict[str, Any]:
    """What the JSON of a value looks like, for documentation.

    Example:
        >>> json_schema({"kind": "list", "items": {"kind": "int"}})
        {'type': 'array', 'items': {'type': 'integer'}}
    """
    kind = descriptor["kind"]
    if kind in PLAIN:
        return dict(PLAIN[kind])
    if kind in ("scalar", "moment"):
        return item_schema(descriptor)
    if kind == "array":
        schema = item_schema(descriptor)
        for size in reversed(descriptor.get("shape") or []):
            schema = {"type": "array", "items": schema}
            if size >= 0:
                schema |= {"minItems": size, "maxItems": size}
        return schema
    if kind == "series":
        return with_labels({"type": "array", "items": item_schema(descriptor)}, descriptor)
    if kind == "frame":
        columns = {str(column["name"]): item_schema(column) for column in descriptor["columns"]}
        record = {
            "type": "object",
            "properties": columns,
            "required": list(columns),
            "additionalProperties": False,
        }
        return with_labels({"type": "array", "items": record}, descriptor)
    if kind == "optional":
        return {**json_schema(descriptor["of"]), "nullable": True}
    if kind == "union":
        return {"anyOf": [json_schema(inner) for inner in descriptor["of"]]}
    if kind == "choices":
        return {**json_schema(descriptor["of"]), "enum": descriptor["values"]}
    if kind == "record":
        fields = {name: json_schema(inner) for name, inner in descriptor["fields"].items()}
        required = [name for name in fields if name not in descriptor.get("optional", ())]
        return {"type": "object", "properties": fields, "required": required, "additionalProperties": False}
    if kind == "mapping":
        return {"type": "object", "additionalProperties": json_schema(descriptor["values"])}
    if kind in ("list", "tuple", "set"):
        items = descriptor["items"]
        if isinstance(items, list):
            return {"type": "array", "items": {}, "minItems": len(items), "maxItems": len(items)}
        return {"type": "array", "items": json_schema(items)}
    if kind == "model":
        return dict(descriptor["schema"])
    return {}


def item_schema(field: Field) -> dict[str, Any]:
    """The JSON of one cell."""
    dtype = field["dtype"]
    if dtype == "category":
        return {"enum": field["categories"]} if field["ordered"] else item_schema(field["of"])
    if dtype.startswith("datetime64["):
        schema: dict[str, Any] = {"type": "string", "format": "date-time"}
    elif dtype.startswith("timedelta64["):
        schema = {"type": "integer", "description": f"in {dtype[12:-1]}"}
    elif dtype in ("str", "string", "bytes"):
        schema = {"type": "string"}
    elif dtype in ("bool", "boolean"):
        schema = {"type": "boolean"}
    elif dtype == "object":
        schema = {}
    else:
        schema = {"type": "integer" if "int" in dtype.lower() else "number"}
    if dtype in NULLABLE_NUMBERS or dtype.startswith(("float", "datetime", "timedelta")) or dtype == "string":
        schema["nullable"] = True
    return schema


def with_labels(rows: dict[str, Any], descriptor: Descriptor) -> dict[str, Any]:
    """Rows, or rows with their labels."""
    if not descriptor.get("index"):
        return rows
    labelled = {"type": "object", "properties": {"index": {"type": "array", "items": {}}, "data": rows}}
    return {"anyOf": [rows, {**labelled, "required": ["index", "data"]}]}


def document(document: dict[str, Any], endpoints: Mapping[str, Any], media_type: str) -> dict[str, Any]:
    """BentoML's OpenAPI document with what `endpoints.json` says of the inputs and answers.

    Args:
        document: What BentoML wrote; it is changed.
        endpoints: The endpoints of `endpoints.json`.
        media_type: That of Arrow streams; "" = none are taken.
    """
    for path in document.get("paths", {}).values():
        for operation in path.values():
            types = (
                endpoints.get(operation.get("x-bentoml-name", "")) if isinstance(operation, dict) else None
            )
            if types is not None:
                document_operation(operation, types, media_type)
    return document


def document_operation(operation: dict[str, Any], types: Mapping[str, Any], media_type: str) -> None:
    tables = [name for name, inner in types["inputs"].items() if inner and inner["kind"] in TABLES]
    content = operation.get("requestBody", {}).get("content", {})
    for media in content.values():
        properties = media.get("schema", {}).get("properties", {})
        for name, descriptor in types["inputs"].items():
            if descriptor and name in properties:
                kept = {key: item for key, item in properties[name].items() if key in ("title", "default")}
                properties[name] = {**kept, **json_schema(descriptor), "x-descriptor": descriptor}
        if "schema" in media:
            media["schema"]["additionalProperties"] = False
    if media_type and len(tables) == 1 and not types.get("task"):
        said = f"One Arrow IPC stream: its table is `{tables[0]}`"
        others = [name for name in types["inputs"] if name != tables[0]]
        said += f"; {', '.join(others)}: JSON in the schema's metadata `parameters`." if others else "."
        content[media_type] = {"schema": {"type": "string", "format": "binary", "description": said}}
    output = types.get("output")
    answers = operation.get("responses", {}).get("200") or operation.get("responses", {}).get(200)
    if not output or not answers or types.get("stream"):
        return
    for media in answers.get("content", {}).values():
        media["schema"] = {**json_schema(output), "x-descriptor": output}
    if media_type and output["kind"] in TABLES and not types.get("task"):
        said = "One Arrow IPC stream, when the request's `Accept` names it."
        answers["content"][media_type] = {
            "schema": {"type": "string", "format": "binary", "description": said, "x-descriptor": output}
        }
