"""Descriptors in a service: in its annotations, and in the schema that it publishes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .answers import encode_answer
from .decoding import decode
from .describing import conforms
from .descriptors import TABLES, CodecError, Descriptor
from .exchange import CURRENT, Exchange
from .models import model_to_json
from .openapi import json_schema

__all__ = ["Typed", "descriptor_from_schema", "endpoint_types"]

#: Kinds that BentoML and pydantic read and write; only the schema is ours.
OTHERS = frozenset({"model", "image", "file"})
#: Kinds that BentoML's own clients know by its own schemas.
BENTOML_TYPES = OTHERS | {"array", "frame"}


def descriptor_from_schema(schema: dict[str, Any]) -> Descriptor:
    """The descriptor of one value by its JSON schema in a service's `/schema.json`.

    Services written by bento_jupyter carry whole descriptors; of other services' schemas, tensors, frames and
    files are understood as BentoML's own client does. Anything else is `{"kind": "json"}`.

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
    if schema.get("type") == "file":
        return {"kind": "image" if schema.get("format") == "image" else "file"}
    return {"kind": "json"}


class Typed:
    """Annotation of a service's parameter or answer: its JSON is read and written by a descriptor.

    Goes behind BentoML's own annotations, which stay in the schema for other clients. A request that does not
    fit is answered with 400, row and column; an answer other than the descriptor promises says itself what it
    is (`encode_answer`), so that none is ever read wrongly.

    Args:
        descriptor: What the value is.
        endpoint: Name of the endpoint; "" = no matter which.
        output: True for an answer.
        arrow: True when it may be an Arrow stream (`negotiation`): told in the schema.
        stream: How the parts of a streamed answer are sent: `text`, `bytes` or `lines` of JSON; "" = it is
            none.

    Example:
        >>> from typing import Annotated
        >>> Rows = Annotated["np.ndarray", Typed({"kind": "array", "dtype": "float64", "shape": [-1, 4]})]
    """

    def __init__(
        self,
        descriptor: Descriptor,
        endpoint: str = "",
        *,
        output: bool = False,
        arrow: bool = False,
        stream: str = "",
    ) -> None:
        self.descriptor = descriptor
        self.endpoint = endpoint
        self.output = output
        self.arrow = arrow
        self.stream = stream

    def read(self, value: Any, *, live: bool = False) -> Any:
        """What a request's JSON stands for.

        Args:
            value: The JSON, or the reference to a value that came as Arrow.
            live: It may be a value already, from a call within one process.
        """
        exchange = CURRENT.get()
        if self.output:
            if isinstance(value, (str, bytes)):  # BentoML sends these as they are
                self.tell("text" if isinstance(value, str) else "bytes")
            return value
        loan = exchange.find(value) if exchange is not None else None
        if loan is not None:
            value, live = loan.value, loan.live
            if live:
                return value
        plain = isinstance(value, (dict, list, str, int, float, type(None)))
        if live and (not plain or not conforms(value, self.descriptor)):
            return value
        try:
            return decode(value, self.descriptor)
        except RecursionError as error:
            raise CodecError("it is nested too deeply") from error

    def write(self, value: Any) -> Any:
        """The JSON of an answer, or nothing when it goes as Arrow."""
        exchange = self.tell("json")
        if exchange is not None and exchange.arrow and is_table(value):
            exchange.answer = (value,)
            return None
        try:
            return self.to_json(value)
        except CodecError as error:
            if exchange is not None:
                exchange.failure = str(error)
            raise

    def tell(self, form: str) -> Exchange | None:
        """Tell the middleware what the body of this endpoint's answer is; gives the request it belongs to."""
        exchange = CURRENT.get()
        if exchange is None or exchange.endpoint != self.endpoint:
            return None
        exchange.written = form
        return exchange

    def to_json(self, value: Any) -> Any:
        """The JSON of a value."""
        return (
            model_to_json(value)
            if self.descriptor["kind"] == "model"
            else encode_answer(value, self.descriptor)
        )

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        inner = handler(source)
        if self.descriptor["kind"] in ("image", "file"):
            return inner
        if self.descriptor["kind"] == "model":
            dumping = core_schema.plain_serializer_function_ser_schema(self.write, when_used="json")
            return {**inner, "serialization": dumping}

        def read(value: Any, _: Any, info: Any) -> Any:
            # BentoML reads multipart forms and calls of other services of the Bento in the mode `python`.
            return self.read(value, live=info.mode == "python")

        def write(value: Any, info: Any) -> Any:
            # BentoML's own serializers fail in that mode when an answer is not what was promised.
            return value if info.mode == "python" else self.write(value)

        writing = core_schema.plain_serializer_function_ser_schema(write, info_arg=True)
        return core_schema.with_info_wrap_validator_function(read, inner, serialization=writing)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        found = handler(schema)
        if self.descriptor["kind"] == "model":
            found = (
                self.descriptor["schema"] or found
            )  # stands alone: BentoML cannot follow a model into itself
        elif self.descriptor["kind"] not in BENTOML_TYPES and not self.stream:
            found = json_schema(self.descriptor)
        return {
            **found,
            "descriptor": self.descriptor,
            **({"arrow": True} if self.arrow else {}),
            **({"stream": self.stream} if self.stream else {}),
        }


def is_table(value: Any) -> bool:
    """Is it an array, a frame or a series?"""
    return hasattr(value, "dtypes") or (
        hasattr(value, "dtype") and hasattr(value, "shape") and hasattr(value, "tolist")
    )


def endpoint_types(path: str | Path) -> dict[str, dict[str, Any]]:
    """The annotations of `endpoints.json`: per endpoint `{"inputs": {parameter: Typed}, "output": Typed}`.

    What has no descriptor there is not among them.
    """
    endpoints = json.loads(Path(path).read_text(encoding="utf-8"))["endpoints"]
    found: dict[str, dict[str, Any]] = {}
    for name, types in endpoints.items():
        tables = [
            key for key, inner in types["inputs"].items() if inner is not None and inner["kind"] in TABLES
        ]
        whole = not types.get("task") and not types.get("stream")
        inputs = {
            parameter: Typed(descriptor, name, arrow=tables == [parameter] and not types.get("task"))
            for parameter, descriptor in types["inputs"].items()
            if descriptor is not None
        }
        found[name] = {"inputs": inputs}
        output = types.get("output")
        if output is not None:
            stream = types.get("stream") or ""
            found[name]["output"] = Typed(
                output,
                name,
                output=True,
                arrow=whole and output["kind"] in TABLES,
                stream=stream if isinstance(stream, str) else "",
            )
    return found
