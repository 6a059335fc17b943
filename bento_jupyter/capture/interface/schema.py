"""Types of an endpoint: what a sample and a type hint say together, and how a service annotates it."""

from __future__ import annotations

import collections.abc
import dataclasses
import enum
import pprint
import types
import typing
from collections.abc import Sequence
from typing import Any

from bento_jupyter.codec import Descriptor, conforms, describe, unite
from bento_jupyter.codec.models import model_schema
from bento_jupyter.codec.plain import PLAIN

__all__ = ["annotation_of", "describe_parameter"]

#: Hints of containers, by what they come to.
LISTS = (list, collections.abc.Sequence, collections.abc.Iterable, collections.abc.Collection)
MAPPINGS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
SETS = (set, frozenset, collections.abc.Set)
#: Dtypes that have a missing value only where the sample has one; floats and nullable dtypes always have.
FILLED = ("str", "category", "object", "datetime64[", "timedelta64[")


def describe_parameter(value: Any, hint: Any = None) -> Descriptor:
    """The descriptor of what an endpoint takes, by a sample and what its type hint adds.

    Where the two contradict each other the sample is believed: it is what the code was shown to take. Columns
    without a missing value in the sample refuse null, and objects that are all text refuse numbers.

    Args:
        value: The sample.
        hint: The resolved type hint; None = there is none.

    Raises:
        CodecError: The sample is of a kind that cannot be carried.

    Example:
        >>> describe_parameter(3, float)
        {'kind': 'float', 'whole': True}
        >>> import typing
        >>> describe_parameter("a", typing.Optional[str])
        {'kind': 'optional', 'of': {'kind': 'str'}}
    """
    hinted = from_hint(hint, [value])
    if hinted is not None and (hinted["kind"] in ("model", "any") or not conforms(value, hinted)):
        return hinted
    return restricted(describe(value), value)


def from_hint(hint: Any, samples: Sequence[Any]) -> Descriptor | None:
    """What a hint says of the samples; None when it says nothing that they do not say better."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return from_hint(arguments[0], samples)
    if hasattr(hint, "__supertype__"):  # NewType
        return from_hint(hint.__supertype__, samples)
    if holds_model(hint) and fits_model(hint, samples):
        name = hint.__qualname__ if isinstance(hint, type) and origin is None else str(hint)
        return {"kind": "model", "type": name, "schema": model_schema(hint)}
    if origin in (typing.Union, types.UnionType):
        return union_of(arguments, samples)
    if origin is typing.Literal:
        inner = [describe(choice) for choice in arguments]
        of = inner[0] if all(each == inner[0] for each in inner) else {"kind": "any"}
        return {"kind": "choices", "of": of, "values": list(arguments)}
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        choices = [member.value for member in hint]
        plain = all(type(choice) in (str, int) for choice in choices)
        return (
            {"kind": "choices", "of": describe(choices[0]), "values": choices} if choices and plain else None
        )
    if hint in (Any, object) and samples and all(is_json(sample) for sample in samples):
        return {"kind": "any"}
    if hint is dict and all(isinstance(sample, dict) for sample in samples):
        return {"kind": "mapping", "values": {"kind": "any"}}
    if hint is list and samples and all(type(sample) is list and is_json(sample) for sample in samples):
        return {"kind": "list", "items": {"kind": "any"}}
    if hint is float:
        return {"kind": "float", "whole": True}
    if isinstance(hint, type) and hint in PLAIN and hint.__module__ != "datetime":
        return {"kind": PLAIN[hint]}
    if isinstance(hint, type) and hint in PLAIN and not samples:
        return {"kind": PLAIN[hint]}  # without a zone
    return container_of(origin, arguments, samples) if origin is not None and arguments else None


def is_json(value: Any) -> bool:
    """Is a value what JSON has itself: without tuples, dates, arrays?"""
    if type(value) is list:
        return all(map(is_json, value))
    if type(value) is dict:
        return all(type(key) is str and is_json(item) for key, item in value.items())
    return value is None or type(value) in (bool, int, float, str)


def union_of(arguments: Sequence[Any], samples: Sequence[Any]) -> Descriptor | None:
    """A union of hints: optional, or one of several kinds."""
    given = [sample for sample in samples if sample is not None]
    others = [each for each in arguments if each is not type(None)]
    if {int, float} <= set(others):
        others.remove(int)
    inner = [described_by(each, fitting(each, given)) for each in others]
    of = inner[0] if len(inner) == 1 else {"kind": "union", "of": inner}
    if len(inner) > 1 and any(each["kind"] in ("any", "model") for each in inner):
        of = {"kind": "any"}
    if type(None) not in arguments or of["kind"] == "any":
        return of
    return {"kind": "optional", "of": of}


def fitting(hint: Any, samples: Sequence[Any]) -> list[Any]:
    """The samples that are of a hint's class."""
    cls = typing.get_origin(hint) or hint
    return [sample for sample in samples if not isinstance(cls, type) or isinstance(sample, cls)]


def described_by(hint: Any, samples: Sequence[Any]) -> Descriptor:
    """What hint and samples come to together; `any` when that is nothing."""
    hinted = from_hint(hint, samples)
    if hinted is not None and not any(conforms(sample, hinted) for sample in samples):
        return hinted
    found: Descriptor | None = None
    for sample in samples:
        each = describe(sample)
        found = each if found is None else unite(found, each)
    return found or {"kind": "any"}


def container_of(origin: Any, arguments: Sequence[Any], samples: Sequence[Any]) -> Descriptor | None:
    """A list, tuple, set or mapping, its items described by their hint and all their samples."""
    if origin is tuple:
        rows = [sample for sample in samples if isinstance(sample, tuple)]
        if arguments[-1] is Ellipsis:
            items: Any = described_by(arguments[0], [item for row in rows for item in row])
        else:
            rows = [row for row in rows if len(row) == len(arguments)]
            items = [described_by(each, [row[i] for row in rows]) for i, each in enumerate(arguments)]
        return {"kind": "tuple", "items": items}
    if origin in MAPPINGS and len(arguments) == 2:
        dicts = [sample for sample in samples if isinstance(sample, dict)]
        values = described_by(arguments[1], [item for each in dicts for item in each.values()])
        if arguments[0] is str:
            return {"kind": "mapping", "values": values}
        keys = described_by(arguments[0], [key for each in dicts for key in each])
        return {"kind": "mapping", "keys": keys, "values": values}
    collected = [
        item for sample in samples if isinstance(sample, (list, tuple, set, frozenset)) for item in sample
    ]
    if origin in SETS:
        frozen = {"frozen": True} if origin is frozenset else {}
        return {"kind": "set", **frozen, "items": described_by(arguments[0], collected)}
    if origin in LISTS:
        kind = "tuple" if any(isinstance(sample, tuple) for sample in samples) else "list"
        return {"kind": kind, "items": described_by(arguments[0], collected)}
    return None


def is_model(hint: Any) -> bool:
    """Is it a class that pydantic reads by its annotations?"""
    return isinstance(hint, type) and (
        hasattr(hint, "model_json_schema")
        or dataclasses.is_dataclass(hint)
        or typing.is_typeddict(hint)
        or (issubclass(hint, tuple) and hasattr(hint, "_fields"))
        or issubclass(hint, enum.Enum)
    )


def holds_model(hint: Any) -> bool:
    """Does a hint name such a class, anywhere in it?"""
    return is_model(hint) or any(
        holds_model(each) for each in typing.get_args(hint) if not isinstance(each, str)
    )


def fits_model(hint: Any, samples: Sequence[Any]) -> bool:
    """Would pydantic take the samples as they are: models, not the plain values they are made of?"""
    import pydantic

    try:
        adapter = pydantic.TypeAdapter(hint)
        return all(adapter.validate_python(sample, strict=True) == sample for sample in samples)
    except (pydantic.ValidationError, pydantic.errors.PydanticUserError, TypeError):
        return False


def restricted(descriptor: Descriptor, value: Any) -> Descriptor:
    """A descriptor of what is asked for: it refuses nulls and types that the sample does not have."""
    kind = descriptor["kind"]
    if kind == "frame":
        columns = [refusing(field, value.iloc[:, i]) for i, field in enumerate(descriptor["columns"])]
        return {**descriptor, "columns": columns}
    if kind == "series":
        return refusing(descriptor, value)
    if kind == "array" and descriptor["dtype"] == "object" and value.size:
        import pandas as pd

        return refusing(descriptor, pd.Series(value.ravel()))
    return descriptor


def refusing(field: dict[str, Any], series: Any) -> dict[str, Any]:
    if not len(series) or not field["dtype"].startswith(FILLED):
        return field
    missing = series.isna()
    found = dict(field) if missing.any() else {**field, "nullable": False}
    if field["dtype"] == "object":
        types_ = {type(cell).__name__ for cell in series[~missing]}
        if types_ and types_ <= {"str", "bool", "int", "float"}:
            found["types"] = sorted(types_)
    return found


def annotation_of(descriptor: Descriptor, typed: str, cls: str = "") -> tuple[str, frozenset[str]]:
    """The annotation of a parameter or an answer in `service.py`, as source.

    BentoML's own types stand first: its schema, its clients and its pages know those.

    Args:
        descriptor: What it is.
        typed: Source of the `Typed` that goes behind them, e.g. `TYPES["predict"]["inputs"]["X"]`.
        cls: Source of the class of a `model`; "" = the name that its descriptor has.

    Returns:
        The source, and the import lines it needs.

    Example:
        >>> annotation_of({"kind": "int"}, "T")[0]
        'Annotated[int, T]'
    """
    kind = descriptor["kind"]
    imports = {"from typing import Annotated"}
    if kind == "array":
        parts = ["np.ndarray", *tensor_parts(descriptor), typed]
        used = [part.partition("(")[0] for part in parts if part.startswith(("DType(", "Shape("))]
        imports |= {"import numpy as np"} | {f"from bentoml.validators import {name}" for name in used}
        return f"Annotated[{', '.join(parts)}]", frozenset(imports)
    if kind == "frame":
        names = tuple(str(column["name"]) for column in descriptor["columns"])
        columns = pprint.pformat(names, width=90, compact=True).replace("\n", "\n        ")
        imports |= {"import pandas as pd", "from bentoml.validators import DataframeSchema"}
        schema = f"DataframeSchema(columns={columns})" if names else "DataframeSchema()"
        return f"Annotated[\n    pd.DataFrame,\n    {schema},\n    {typed},\n]", frozenset(imports)
    if kind == "model":
        return f"Annotated[{cls or descriptor['type']}, {typed}]", frozenset(imports)
    if kind == "image":
        return f"Annotated[PIL.Image.Image, {typed}]", frozenset({*imports, "import PIL.Image"})
    if kind == "file":
        return f"Annotated[Path, {typed}]", frozenset({*imports, "from pathlib import Path"})
    source, needed = plain_annotation(descriptor)
    return f"Annotated[{source}, {typed}]", frozenset(imports | needed)


def tensor_parts(descriptor: Descriptor) -> list[str]:
    """`DType(...)` and `Shape(...)` of an array, as far as BentoML's own clients understand them."""
    names = {"str": "str_", "bytes": "bytes_", "bool": "bool_", "object": "object_"}
    dtype: str = names.get(descriptor["dtype"]) or descriptor["dtype"]
    parts = [f'DType("{dtype}")'] if dtype.isidentifier() else []
    shape = tuple(descriptor["shape"])
    return [*parts, f"Shape({shape})"] if shape and shape.count(-1) == 1 else parts


def plain_annotation(descriptor: Descriptor) -> tuple[str, set[str]]:
    """The type of a plain value, list or dict, as Python's users know it."""
    kind = descriptor["kind"]
    if kind in ("bool", "int", "float", "str", "bytes"):
        return kind, set()
    modules = {"decimal": ("decimal", "Decimal"), "uuid": ("uuid", "UUID")}
    modules |= {name: ("datetime", name) for name in ("datetime", "date", "time", "timedelta")}
    if kind in modules:
        return ".".join(modules[kind]), {f"import {modules[kind][0]}"}
    if kind == "choices" and all(type(choice) in (str, int, bool) for choice in descriptor["values"]):
        return f"Literal[{', '.join(map(repr, descriptor['values']))}]", {"from typing import Literal"}
    if kind == "optional":
        source, needed = plain_annotation(descriptor["of"])
        return (source, needed) if source == "Any" else (f"{source} | None", needed)
    if kind == "list":
        source, needed = plain_annotation(descriptor["items"])
        return f"list[{source}]", needed
    if kind in ("record", "mapping"):
        inner = descriptor.get("values", {"kind": "any"}) if "keys" not in descriptor else {"kind": "any"}
        source, needed = plain_annotation(inner)
        return f"dict[str, {source}]", needed
    return "Any", {"from typing import Any"}
