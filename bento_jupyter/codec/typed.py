"""Descriptors in a service: in its annotations, and in the schema that it publishes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .decoding import decode
from .descriptors import CodecError, Descriptor, conforms
from .encoding import encode

__all__ = ["Typed", "descriptor_from_schema", "endpoint_types"]


def descriptor_from_schema(schema: dict[str, Any]) -> Descriptor:
    """The descriptor of one value by its JSON schema in a service's `/schema.json`.

    Services written by bento_jupyter carry whole descriptors; of other services' schemas, tensors and frames
    are understood as BentoML's own client does. Anything else is `{"kind": "json"}`.

    Args:
        schema: `route["output"]`, or `route["input"]["properties"][parameter]`, of `/schema.json`.

    Example:
        >>> descriptor_from_schema({"type": "tensor", "format": "numpy-array", "dtype": "float32"})
        {'kind': 'array', 'dtype': 'float32'}
    """
    if "descriptor" in schema:
        return dict(schema["descriptor"])
    if schema.get("type") == "tensor" and schema.get("format") == "numpy-array":
        dtype = schema.get("dtype")
        known = {"str_": "str", "bool_": "bool", "object_": "object"}.get(dtype or "", dtype)
        return {
            "kind": "array",
            "dtype": known,
            **({"shape": list(schema["shape"])} if schema.get("shape") else {}),
        }
    if schema.get("type") == "dataframe":
        columns = schema.get("columns")
        return {
            "kind": "records",
            "orient": schema.get("orient", "records"),
            "columns": columns and list(columns),
        }
    return {"kind": "json"}


class Typed:
    """Annotation of a service's parameter or answer: its JSON is read and written by a descriptor.

    Goes behind BentoML's own annotations, which stay in the schema for other clients. A request that does not
    fit is answered with 400, row and column; an answer other than the descriptor promises is an error, never
    sent.

    Example:
        >>> from typing import Annotated
        >>> Rows = Annotated["np.ndarray", Typed({"kind": "array", "dtype": "float64", "shape": [-1, 4]})]
    """

    def __init__(self, descriptor: Descriptor) -> None:
        self.descriptor = descriptor

    def read(self, value: Any) -> Any:
        """What a request's JSON stands for; values that are typed already (calls in one process) pass."""
        return (
            value if hasattr(value, "dtype") or hasattr(value, "dtypes") else decode(value, self.descriptor)
        )

    def write(self, value: Any) -> Any:
        """The JSON of an answer."""
        reason = conforms(value, self.descriptor)
        if reason:
            raise CodecError(f"the model's answer is not what the schema promises: {reason}")
        return encode(value, self.descriptor)

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_before_validator_function(
            self.read,
            handler(source),
            serialization=core_schema.plain_serializer_function_ser_schema(self.write, when_used="json"),
        )

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return {**handler(schema), "descriptor": self.descriptor}


def endpoint_types(path: str | Path) -> dict[str, dict[str, Typed]]:
    """The annotations of `endpoints.json`: per endpoint `{"input": Typed, "output": Typed}`."""
    endpoints = json.loads(Path(path).read_text(encoding="utf-8"))["endpoints"]
    return {
        name: {side: Typed(types[side]) for side in ("input", "output")} for name, types in endpoints.items()
    }
