"""An endpoint as a method of its deployment, with the signature and the words of its schema."""

from __future__ import annotations

import inspect
import keyword
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from .. import codec
from .payload import words

if TYPE_CHECKING:
    from .calls import Calls
    from .tasks import Task

__all__ = ["Method", "signature_of"]


#: Kinds of values for the types of JSON schema, where a schema has no descriptor.
JSON_TYPES: dict[str, codec.Descriptor] = {
    "integer": {"kind": "int"},
    "number": {"kind": "float"},
    "string": {"kind": "str"},
    "boolean": {"kind": "bool"},
    # Of anything: BentoML's schema says of `list[int | None]` that it is of integers.
    "array": {"kind": "list", "items": {"kind": "json"}},
}


class _Type:
    """An annotation that reads as it should: `ndarray[float64, (any, 4)]`."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


class Method:
    """An endpoint of a deployment: call it as the object in the notebook.

    Args:
        deployment: Whose.
        route: Schema of the endpoint.

    Example:
        >>> dep.predict(X_test[:5])                  # doctest: +SKIP
        >>> await dep.predict.acall(X_test[:5])      # doctest: +SKIP
    """

    def __init__(self, deployment: Calls, route: Mapping[str, Any]) -> None:
        self._deployment = deployment
        self.__name__: str = route["name"]
        self.__qualname__ = f"{deployment.name}.{self.__name__}"
        self.__signature__ = signature_of(route)
        self.__doc__ = doc_of(deployment.name, route)

    def __repr__(self) -> str:
        return f"<endpoint {self.__qualname__}{self.__signature__}>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it and wait for its answer: see `Deployment.call`."""
        return self._deployment.call(self.__name__, *args, **kwargs)

    async def acall(self, *args: Any, **kwargs: Any) -> Any:
        """Call it from asynchronous code."""
        return await self._deployment.acall(self.__name__, *args, **kwargs)

    def stream(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """The parts of its answer, as they come."""
        return self._deployment.stream(self.__name__, *args, **kwargs)

    def submit(self, *args: Any, **kwargs: Any) -> Task:
        """Have it done as a task, and do not wait for it."""
        return self._deployment.submit(self.__name__, *args, **kwargs)

    def map(self, items: Any, **options: Any) -> Any:
        """Call it once for each item, several at a time: see `Deployment.map`."""
        return self._deployment.map(self.__name__, items, **options)


def signature_of(route: Mapping[str, Any]) -> inspect.Signature:
    """The signature of an endpoint, as its schema tells it."""
    schema = route.get("input", {})
    answer = _Type(type_words(schema_descriptor(route.get("output", {}))))
    if schema.get("root_input"):
        only = inspect.Parameter("value", inspect.Parameter.POSITIONAL_ONLY)
        return inspect.Signature([only], return_annotation=answer)
    required = set(schema.get("required", []))
    parameters = []
    for name, field in schema.get("properties", {}).items():
        if not name.isidentifier() or keyword.iskeyword(name):
            continue
        default = inspect.Parameter.empty if name in required else field.get("default")
        parameters.append(
            inspect.Parameter(
                name,
                inspect.Parameter.POSITIONAL_OR_KEYWORD,
                default=default,
                annotation=_Type(type_words(schema_descriptor(field))),
            )
        )
    # In Python's order: what has no default comes first.
    if any(
        one.default is not inspect.Parameter.empty and other.default is inspect.Parameter.empty
        for one, other in pairwise(parameters)
    ):
        parameters = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters]
    return inspect.Signature(parameters, return_annotation=answer)


def schema_descriptor(schema: Mapping[str, Any]) -> codec.Descriptor:
    """What a part of the schema says of its values; anything where it cannot be read."""
    try:
        found = codec.descriptor_from_schema(dict(schema))
    except (LookupError, TypeError, ValueError):
        found = {"kind": "any"}
    plain = JSON_TYPES.get(str(schema.get("type")))
    return plain if plain and found["kind"] in ("any", "json") else found


def type_words(descriptor: codec.Descriptor) -> str:
    """A descriptor as a short annotation."""
    kind = descriptor["kind"]
    if kind == "array":
        shape = ", ".join("any" if size < 0 else str(size) for size in descriptor.get("shape") or ())
        return f"{'Tensor' if descriptor.get('library') else 'ndarray'}[{descriptor['dtype']}, ({shape})]"
    if kind == "optional":
        return f"{type_words(descriptor['of'])} | None"
    if kind == "list":
        items = type_words(descriptor["items"])
        return "list" if items == "Any" else f"list[{items}]"
    if kind == "model":
        return str(descriptor["type"]).rpartition(".")[2]
    known = {"frame": "DataFrame", "records": "DataFrame", "series": "Series", "record": "dict",
             "mapping": "dict", "tuple": "tuple", "set": "set", "image": "Image", "file": "Path",
             "none": "None", "scalar": str(descriptor.get("dtype")), "any": "Any", "json": "Any",
             "union": "Any", "choices": "Any"}  # fmt: skip
    return str(known.get(kind, kind))


def doc_of(deployment: str, route: Mapping[str, Any]) -> str:
    """What an endpoint does, takes and answers."""
    name, output = route["name"], route.get("output", {})
    lines = [str(route.get("doc") or f"Call the endpoint {name!r} of the deployment {deployment!r}."), ""]
    fields = route.get("input", {}).get("properties", {})
    if fields:
        lines.append("Args:")
        required = set(route["input"].get("required", []))
        for key, field in fields.items():
            default = "" if key in required else f"; default: {field.get('default')!r}"
            said = f" {field['description']}" if field.get("description") else ""
            lines.append(f"    {key}: {words(schema_descriptor(field))}{default}.{said}")
        lines.append("")
    answer = words(schema_descriptor(output))
    if output.get("is_stream"):
        lines += ["Returns:", f"    The whole stream; .stream(...) gives its parts as they come: {answer}."]
    elif route.get("is_task"):
        lines += ["Returns:", f"    The result of the task, {answer}; .submit(...) does not wait for it."]
    else:
        lines += ["Returns:", f"    {answer[:1].upper()}{answer[1:]}."]
    return "\n".join(lines)
