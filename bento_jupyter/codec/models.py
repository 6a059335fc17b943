"""Values of classes that pydantic reads: its own models, dataclasses, NamedTuples, Enums."""

from __future__ import annotations

import math
from enum import Enum
from typing import Any

from .descriptors import CodecError, class_name

__all__ = ["is_model", "model_schema", "model_to_json"]


def is_model(value: Any) -> bool:
    """Is it of a class that pydantic reads by its annotations?"""
    return (
        hasattr(type(value), "model_dump")
        or hasattr(type(value), "__dataclass_fields__")
        or (isinstance(value, tuple) and hasattr(value, "_fields"))
        or isinstance(value, Enum)
    )


def model_schema(cls: Any) -> dict[str, Any]:
    """The JSON schema of a class, without references: it is put into other schemas as it is.

    Raises:
        CodecError: Its fields are not such as JSON has.
    """
    import pydantic

    try:
        schema: dict[str, Any] = pydantic.TypeAdapter(cls).json_schema()
    except (pydantic.errors.PydanticUserError, pydantic.errors.PydanticSchemaGenerationError) as error:
        first = str(error).splitlines()[0]
        raise CodecError(
            f"a {getattr(cls, '__qualname__', cls)} has no JSON schema: {first}; give a dict"
        ) from error
    found: dict[str, Any] = inlined(schema, schema.pop("$defs", {}), ())
    return found


def inlined(schema: Any, definitions: dict[str, Any], inside: tuple[str, ...]) -> Any:
    """A schema with the definitions in place of references to them; a class inside itself is only named."""
    if isinstance(schema, list):
        return [inlined(item, definitions, inside) for item in schema]
    if not isinstance(schema, dict):
        return schema
    reference = schema.get("$ref")
    if isinstance(reference, str):
        name = reference.rpartition("/")[2]
        definition = {"type": "object", "title": name} if name in inside else definitions.get(name, {})
        rest = {key: item for key, item in schema.items() if key != "$ref"}
        return inlined({**definition, **rest}, definitions, (*inside, name))
    return {
        key: inlined(item, definitions, inside)
        for key, item in schema.items()
        if not (key == "discriminator" and isinstance(item, dict) and "mapping" in item)  # of references
    }


def model_to_json(value: Any) -> Any:
    """What pydantic dumps of a value as JSON; plain JSON (a dict for a model) is taken as it is.

    Raises:
        CodecError: pydantic cannot.
    """
    import pydantic

    # Fields of other classes are written as what they are: a whole number may be where a float is hinted.
    known = type(value) if hasattr(type(value), "__pydantic_serializer__") else Any
    try:
        dumped = pydantic.TypeAdapter(known).dump_python(value, mode="json", round_trip=True)
    except (pydantic.errors.PydanticUserError, ValueError) as error:
        raise CodecError(f"a {class_name(value)} has no JSON: {str(error).splitlines()[0]}") from error
    return strict(dumped)


def strict(data: Any) -> Any:
    """JSON without the floats that it has no numbers for; pydantic reads their names."""
    if isinstance(data, float) and not math.isfinite(data):
        return "NaN" if math.isnan(data) else ("Infinity" if data > 0 else "-Infinity")
    if isinstance(data, dict):
        return {key: strict(item) for key, item in data.items()}
    return [strict(item) for item in data] if isinstance(data, list) else data
