"""Requests to an endpoint as its schema wants them, and what its answers stand for."""

from __future__ import annotations

import importlib.util
import io
import json
import mimetypes
import pathlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import Message
from typing import TYPE_CHECKING, Any

from .. import codec
from ..errors import CallError

if TYPE_CHECKING:
    import httpx

__all__ = [
    "ARROW",
    "Payload",
    "answer_value",
    "inputs_by_name",
    "json_of",
    "parts_of",
    "payload_of",
    "takes_arrow",
]

ARROW = "application/vnd.apache.arrow.stream"
#: The media type of what has none.
UNTOLD = "application/octet-stream"
#: What JSON is made of.
JSON = (str, int, float, list, dict)


@dataclass
class Payload:
    """What is sent.

    Attributes:
        options: Arguments of httpx: `json`, `content` or `data` and `files`; `headers`.
        arrow: True when it is an Arrow stream.
        index: Row labels that the answer gets, since they were not sent.
    """

    options: dict[str, Any] = field(repr=False)
    arrow: bool = False
    index: Any = field(default=None, repr=False)

    @property
    def body(self) -> dict[str, Any]:
        """What the endpoint gets of it."""
        return {key: value for key, value in self.options.items() if key != "headers"}


def inputs_by_name(
    route: Mapping[str, Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """The inputs by their names.

    Raises:
        CallError: One is missing, unknown or given twice.
    """
    name, schema = route["name"], route.get("input", {})
    fields: dict[str, Any] = schema.get("properties", {})
    hint = f"inputs: {', '.join(fields) or 'none'}"
    if len(args) > len(fields):
        raise CallError(f"endpoint {name!r} takes {len(fields)} inputs, not {len(args)}", hint=hint)
    values = dict(zip(fields, args, strict=False))
    for key, value in kwargs.items():
        if key not in fields or key in values:
            problem = "is given twice" if key in values else "is unknown"
            raise CallError(f"input {key!r} of endpoint {name!r} {problem}", hint=hint)
        values[key] = value
    missing = [key for key in schema.get("required", []) if key not in values]
    if missing:
        raise CallError(f"endpoint {name!r} needs {', '.join(missing)}")
    return values


def takes_arrow(route: Mapping[str, Any]) -> bool:
    """May an input or the answer be an Arrow stream, and can this process write and read one?"""
    parts = [route.get("output", {}), *route.get("input", {}).get("properties", {}).values()]
    return importlib.util.find_spec("pyarrow") is not None and any(part.get("arrow") for part in parts)


def payload_of(
    route: Mapping[str, Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    *,
    arrow_from: int | None = 0,
) -> Payload:
    """The request for some inputs: an Arrow stream for a table, a form for files, else JSON.

    Args:
        route: Schema of the endpoint.
        args: Inputs by position.
        kwargs: Inputs by name.
        arrow_from: Bytes of a table from which on it goes, and the answer comes, as Arrow; None = never.

    Raises:
        CallError: The inputs do not fit.
    """
    schema = route.get("input", {})
    size = sum(map(size_of, [*args, *kwargs.values()])) if arrow_from else 0
    arrow = arrow_from is not None and size >= arrow_from
    wants_arrow = arrow and route.get("output", {}).get("arrow") and takes_arrow(route)
    headers = {"Accept": f"{ARROW}, application/json;q=0.9, */*;q=0.5"} if wants_arrow else {}
    if schema.get("root_input"):
        if len(args) != 1 or kwargs:
            raise CallError(f"endpoint {route['name']!r} takes one input, by position")
        body = encoded(route, "its input", args[0], codec.descriptor_from_schema(schema))
        return Payload({"json": body, "headers": headers}, index=index_of([args[0]]))
    values = inputs_by_name(route, args, kwargs)
    fields = {key: schema["properties"][key] for key in values}
    types = {key: codec.descriptor_from_schema(each) for key, each in fields.items()}
    index = index_of([value for key, value in values.items() if not types[key].get("index")])
    if any(is_upload(each) for each in fields.values()):
        return Payload({**form_of(route, values, fields, types), "headers": headers}, index=index)
    streamed = next(
        (key for key, each in fields.items() if each.get("arrow") and is_table(values[key])), None
    )
    if arrow and streamed and takes_arrow(route):
        from ..codec.arrow import to_arrow

        try:
            content = to_arrow(values, types)
        except codec.CodecError as error:
            raise misfit(route, f"input {streamed!r}", types[streamed], error) from error
        return Payload({"content": content, "headers": {**headers, "Content-Type": ARROW}}, True, index)
    body = {key: encoded(route, f"input {key!r}", value, types[key]) for key, value in values.items()}
    return Payload({"json": body, "headers": headers}, index=index)


def is_table(value: Any) -> bool:
    """Is it an array, a frame or a series already, which has dtypes to keep?"""
    return hasattr(value, "iloc") or (hasattr(value, "dtype") and bool(getattr(value, "ndim", 0)))


def size_of(value: Any) -> int:
    """Bytes of a table, roughly; 0 of anything else."""
    if hasattr(value, "iloc"):
        return int(8 * getattr(value, "size", 0))
    return int(getattr(value, "nbytes", 0)) if is_table(value) else 0


def is_upload(schema: Mapping[str, Any]) -> bool:
    """Is an input sent as a file, or several?"""
    return schema.get("type") == "file" or (schema.get("items") or {}).get("type") == "file"


def form_of(
    route: Mapping[str, Any],
    values: Mapping[str, Any],
    fields: Mapping[str, Any],
    types: Mapping[str, codec.Descriptor],
) -> dict[str, Any]:
    """A multipart form, as BentoML's own client sends it."""
    data: dict[str, bytes] = {}
    files: list[tuple[str, tuple[str, bytes, str]]] = []
    for key, value in values.items():
        if not is_upload(fields[key]):
            what = f"input {key!r}"
            data[key] = json_of(route, what, encoded(route, what, value, types[key]), allow_nan=False)
            continue
        several = isinstance(value, (list, tuple)) and fields[key].get("type") != "file"
        for each in value if several else [value]:
            if each is None:
                continue
            try:
                files.append((key, upload_of(each, key, content_type_of(fields[key]))))
            except codec.CodecError as error:
                raise misfit(route, f"input {key!r}", types[key], error) from error
    return {"data": data, "files": files}


def content_type_of(schema: Mapping[str, Any]) -> str:
    """The media type that an endpoint wants of a file; "" = any."""
    return str(schema.get("content_type") or (schema.get("items") or {}).get("content_type") or "")


def upload_of(value: Any, key: str, wanted: str = "") -> tuple[str, bytes, str]:
    """Name, content and media type of a file; where nothing tells its type, it is the one that is wanted."""
    if isinstance(value, str):
        value = pathlib.Path(value)
    if hasattr(value, "read"):
        at = value.tell() if value.seekable() else None
        content = value.read()
        if at is not None:
            value.seek(at)  # it may have to be sent again
        name = pathlib.PurePath(str(getattr(value, "name", key))).name
        content = content.encode("utf-8") if isinstance(content, str) else content
    elif isinstance(value, (bytes, bytearray, pathlib.PurePath)):
        encoded_file = codec.encode(value, {"kind": "file"})
        found = codec.decode(encoded_file, {"kind": "file"})
        name, content = found.name or key, bytes(found)
    else:
        content = codec.encode(value, {"kind": "image"})
        return f"{key}.png", codec.decode(content, {"kind": "bytes"}), "image/png"
    kind = mimetypes.guess_type(name)[0] or guessed_type(content)
    same = wanted == kind.replace("/x-", "/")  # Python's audio/x-wav is audio/wav
    fits = same or (kind == UNTOLD and bool(wanted) and "*" not in wanted)
    return name, content, wanted if fits else kind


def guessed_type(content: bytes) -> str:
    """The media type of content without a telling name; of images it has to be right."""
    if content.startswith(b"RIFF") and content[8:12] == b"WAVE":
        return "audio/wav"
    known = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}
    return next((kind for start, kind in known.items() if content.startswith(start)), UNTOLD)


def encoded(route: Mapping[str, Any], what: str, value: Any, descriptor: codec.Descriptor) -> Any:
    """The JSON of an input.

    Raises:
        CallError: It does not fit.
    """
    try:
        return codec.encode(value, descriptor)
    except codec.CodecError as error:
        if type(value) in JSON and not holds_bytes(descriptor):
            # Not the value itself, but what the endpoint is sent of one, such as a date as text.
            with suppress(ValueError, RecursionError):
                return codec.encode(codec.decode(value, descriptor), descriptor)
        raise misfit(route, what, descriptor, error) from error
    except RecursionError as error:
        raise no_json(route, what, error) from error


def holds_bytes(descriptor: Any) -> bool:
    """Is a text in it base64? Any short word could be that, so texts stand for no bytes."""
    if isinstance(descriptor, Mapping):
        return descriptor.get("kind") in ("bytes", "file", "image") or any(
            map(holds_bytes, descriptor.values())
        )
    return isinstance(descriptor, list) and any(map(holds_bytes, descriptor))


def json_of(route: Mapping[str, Any], what: str, value: Any, *, allow_nan: bool = True) -> bytes:
    """A value as JSON.

    Raises:
        CallError: It has something in it that JSON has no word for, or is nested too deeply.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=allow_nan)
        return text.encode(errors="backslashreplace")  # half a surrogate pair: that is how JSON writes it
    except (TypeError, ValueError, RecursionError) as error:
        raise no_json(route, what, error) from error


def no_json(route: Mapping[str, Any], what: str, error: Exception) -> CallError:
    reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
    return CallError(
        f"{what} of endpoint {route['name']!r} is no JSON: {reason}",
        hint="texts, numbers, lists and dicts, or what the endpoint's types say",
    )


def misfit(
    route: Mapping[str, Any], what: str, descriptor: codec.Descriptor, error: codec.CodecError
) -> CallError:
    return CallError(
        f"{what} of endpoint {route['name']!r} does not fit: {error}", hint=f"it takes {words(descriptor)}"
    )


def words(descriptor: codec.Descriptor) -> str:
    """What an endpoint takes, for people."""
    kind = descriptor["kind"]
    if kind == "frame":
        names = ", ".join(str(item["name"]) for item in descriptor["columns"])
        return f"a DataFrame with the columns {names}"
    if kind == "array" and len(descriptor.get("shape") or ()) > 1:
        rest = ", ".join(str(size) if size >= 0 else "any" for size in descriptor["shape"][1:])
        return f"an array of shape (rows, {rest}), such as X_test[:5]"
    if kind == "record":
        return f"a dict with the fields {', '.join(descriptor['fields'])}"
    if kind == "optional":
        return f"{words(descriptor['of'])} or None"
    if kind == "choices":
        return f"one of {', '.join(map(repr, descriptor['values']))}"
    known = {"array": "an array or a list", "series": "a Series", "records": "a DataFrame", "str": "text",
             "image": "a PIL image", "file": "a path or bytes", "list": "a list", "tuple": "a tuple",
             "mapping": "a dict", "int": "a whole number", "float": "a number",
             "bool": "True or False"}  # fmt: skip
    return known.get(
        kind, "JSON" if kind in ("json", "any", "model") else f"a {descriptor.get('dtype', kind)}"
    )


def index_of(values: list[Any]) -> Any:
    """The row labels of the one frame or series that was sent: the answer gets them, as in the notebook."""
    indexes = [value.index for value in values if hasattr(value, "iloc")]
    return indexes[0] if len(indexes) == 1 else None


def answer_value(route: Mapping[str, Any], response: httpx.Response, index: Any = None) -> Any:
    """What the body of an answer stands for.

    Args:
        route: Schema of the endpoint.
        response: The whole answer.
        index: Row labels for a frame or series that came without.

    Raises:
        CallError: It is not what the schema promises.
    """
    output = route.get("output", {})
    descriptor = codec.descriptor_from_schema(output)
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if output.get("is_stream"):
            return joined(list(parts_of(route, iter([response.content]))), output)
        if kind == ARROW:
            from ..codec.arrow import answer_from_arrow

            return relabelled(answer_from_arrow(response.content), descriptor, index)
        if kind == "application/json":
            keep = None if descriptor.get("index") else index
            return codec.decode_answer(response.json(), descriptor, index=keep)
        return raw_value(response, kind, descriptor)
    except ValueError as error:  # CodecError, or no JSON at all
        raise CallError(
            f"the answer of {route['name']!r} is not what its schema promises: {error}", status_code=200
        ) from error


def raw_value(response: httpx.Response, kind: str, descriptor: codec.Descriptor) -> Any:
    """Text, bytes, an image or a file, as they are."""
    if kind.startswith("image/") and descriptor["kind"] == "image" and importlib.util.find_spec("PIL"):
        from PIL import Image

        image = Image.open(io.BytesIO(response.content))
        image.load()
        return image
    if descriptor["kind"] == "file":
        content = codec.FileContent(response.content)
        said = Message()
        said["Content-Disposition"] = response.headers.get("content-disposition", "")
        content.name = str(said.get_filename() or "")
        return content
    if descriptor["kind"] == "scalar" and kind.startswith("text/"):
        return codec.decode(response.text, descriptor)
    return response.text if kind.startswith("text/") and descriptor["kind"] != "bytes" else response.content


def relabelled(value: Any, descriptor: codec.Descriptor, index: Any) -> Any:
    """An answer with the row labels of the question, where its own are only numbers."""
    if index is None or descriptor.get("index") or not hasattr(value, "iloc") or len(value) != len(index):
        return value
    if "index" in codec.describe(value.iloc[:0]):
        return value
    return value.set_axis(index, axis=0)


def joined(parts: list[Any], output: Mapping[str, Any]) -> Any:
    """A whole stream: text and bytes have no seams, other parts are a list."""
    if output.get("stream") == "lines" or not all(isinstance(part, (str, bytes)) for part in parts):
        return parts
    return b"".join(parts) if parts and isinstance(parts[0], bytes) else "".join(parts)


def parts_of(route: Mapping[str, Any], chunks: Iterator[bytes]) -> Iterator[Any]:
    """The parts of a stream, as they come: texts, bytes, or the values of JSON lines."""
    output = route.get("output", {})
    descriptor = codec.descriptor_from_schema(output)
    if output.get("stream") == "bytes" or descriptor["kind"] in ("bytes", "file", "image"):
        yield from (chunk for chunk in chunks if chunk)
        return
    if output.get("stream") != "lines" and (output.get("type") == "string" or descriptor["kind"] == "str"):
        yield from texts_of(chunks)
        return
    waiting = ""
    for text in texts_of(chunks):
        waiting += text
        *lines, waiting = waiting.split("\n")
        for line in lines:
            yield from json_values(line, descriptor)
    yield from json_values(waiting, descriptor)


def texts_of(chunks: Iterator[bytes]) -> Iterator[str]:
    """Bytes as text, whole characters only."""
    import codecs

    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for chunk in chunks:
        text = decoder.decode(chunk)
        if text:
            yield text


def json_values(line: str, descriptor: codec.Descriptor) -> Iterator[Any]:
    """The values of a line; BentoML puts them next to each other without a word between."""
    rest = line.strip()
    while rest:
        value, end = json.JSONDecoder().raw_decode(rest)
        yield codec.decode_answer(value, descriptor)
        rest = rest[end:].lstrip()
