"""JSON to values."""

from __future__ import annotations

import io
import json
import math
from itertools import chain
from typing import Any

from .describing import conforms
from .descriptors import TYPE_KEY, CodecError, Descriptor, Field, check_columns, is_envelope, type_name
from .plain import KINDS, bytes_of, plain_from_json, shown
from .reading import series_from_json, values_from_json
from .tensors import LIBRARY, as_library

__all__ = ["FileContent", "decode"]

#: Kinds whose JSON null is a value of theirs (NaN, NaT), so that None says itself what it is.
NULL_IS_A_VALUE = frozenset({"scalar", "missing"})


class FileContent(bytes):
    """The content of a file, and its name; goes where a path does in a call."""

    name: str = ""


def decode(data: Any, descriptor: Descriptor, *, index: Any = None) -> Any:
    """The value that `data`, read by `json.loads`, stands for.

    Args:
        data: What came over the wire.
        descriptor: What it is.
        index: Index for a frame or series of the same length that came without; None = 0, 1, 2, ...

    Raises:
        CodecError: Naming row and column, or field, when `data` is not what the descriptor says.
    """
    kind = descriptor["kind"]
    if kind in KINDS:
        return plain_from_json(data, descriptor)
    if kind == "json":
        return data
    if kind == "records":
        import pandas as pd

        return pd.DataFrame(data, columns=descriptor.get("columns"))
    if kind in ("frame", "series"):
        return table_from_json(data, descriptor, index)
    if kind in DECODERS:
        return DECODERS[kind](data, descriptor)
    raise CodecError(f"the descriptor is of the unknown kind {kind!r}")


def array_from_json(data: Any, descriptor: Descriptor) -> Any:
    return as_library(numpy_from_json(data, descriptor), descriptor.get(LIBRARY))


def numpy_from_json(data: Any, descriptor: Descriptor) -> Any:
    shape = descriptor.get("shape")
    if shape == []:
        return values_from_json([data], descriptor, lambda i: "the value").reshape(())
    if not isinstance(data, list):
        raise CodecError(f"a list of values is wanted, not {type_name(data)}")
    if descriptor.get("dtype") is None:
        import numpy as np

        try:
            return np.asarray(data)
        except ValueError as error:
            raise CodecError("the rows differ in length") from error
    widths = list(shape[1:]) if shape else [-1] * (depth_of(data) - 1)
    flat = data
    sizes = [len(data)]
    for axis, width in enumerate(widths):
        wanted = width
        for i, row in enumerate(flat):
            if not isinstance(row, list):
                raise CodecError(f"row {first_of(i, sizes)} is {type_name(row)}, a list is wanted")
            if wanted < 0:
                wanted = len(row)
            if len(row) != wanted:
                what = "values" if axis == len(widths) - 1 else "lists"
                raise CodecError(f"row {first_of(i, sizes)} has {len(row)} {what}, {wanted} are wanted")
        sizes.append(max(wanted, 0))
        flat = list(chain.from_iterable(flat))

    def where(position: int) -> str:
        width = math.prod(sizes[1:])
        row, rest = divmod(position, width)
        if len(sizes) < 2:
            return f"row {position}"
        if len(sizes) == 2:
            return f"row {row}, column {rest}"
        places = []
        for size in reversed(sizes[1:]):
            rest, place = divmod(rest, size)
            places.append(place)
        return f"row {row}, item {places[::-1]}"

    found = values_from_json(flat, descriptor, where)
    return found.reshape(sizes)


def depth_of(data: Any) -> int:
    """How many lists are in each other, by the first items: of an array of which no shape is known."""
    depth = 0
    while isinstance(data, list):
        data, depth = (data[0] if data else None), depth + 1
    return depth


def first_of(position: int, sizes: list[int]) -> int:
    """The row that an item of the flattened list belongs to."""
    return position // max(math.prod(sizes[1:]), 1)


def table_from_json(data: Any, descriptor: Descriptor, index: Any) -> Any:
    import pandas as pd

    what = "records" if descriptor["kind"] == "frame" else "values"
    labels = None
    levels = descriptor.get("index")
    if isinstance(data, dict) and levels and "data" in data:
        check_columns(list(data), ["index", "data"], "the table", "keys")
        labels, data = data["index"], data["data"]
    if not isinstance(data, list):
        raise CodecError(f"a list of {what} is wanted, not {type_name(data)}")
    if labels is not None:
        keep = index_from_json(labels, levels or [], len(data), descriptor.get("freq"))
    else:
        keep = index if index is not None and len(index) == len(data) else pd.RangeIndex(len(data))
    if descriptor["kind"] == "series":
        return series_from_json(data, descriptor, "row {}".format, index=keep, name=descriptor.get("name"))
    return with_header(frame_from_json(data, descriptor["columns"], keep), descriptor)


def with_header(frame: Any, descriptor: Descriptor) -> Any:
    """A frame with the names of its columns."""
    import pandas as pd

    names = [column["name"] for column in descriptor["columns"]]
    frame.columns = pd.Index(
        names, dtype=descriptor.get("columns_dtype"), name=descriptor.get("columns_name")
    )
    return frame


def index_from_json(labels: Any, levels: list[Field], rows: int, freq: str | None = None) -> Any:
    import pandas as pd

    if not isinstance(labels, list) or len(labels) != rows:
        said = f"has {len(labels)} labels" if isinstance(labels, list) else f"is {type_name(labels)}"
        raise CodecError(f"the index {said}, {rows} are wanted")
    if len(levels) == 1:
        level = levels[0]
        found = pd.Index(series_from_json(labels, level, "index {}".format), name=level["name"])
        return with_freq(found, freq)
    for i, label in enumerate(labels):
        if not isinstance(label, list) or len(label) != len(levels):
            raise CodecError(f"index {i}: a list of {len(levels)} labels is wanted")
    columns = [
        series_from_json([label[i] for label in labels], level, f"index {{}}, level {i}".format)
        for i, level in enumerate(levels)
    ]
    return pd.MultiIndex.from_arrays(columns, names=[level["name"] for level in levels])


def with_freq(index: Any, freq: str | None) -> Any:
    """An index with its frequency, if that is still true of it."""
    if freq:
        try:
            index.freq = freq
        except (ValueError, AttributeError):
            pass
    return index


def frame_from_json(data: list[Any], columns: list[Field], index: Any) -> Any:
    import pandas as pd

    keys = [str(column["name"]) for column in columns]
    wanted = set(keys)
    for i, row in enumerate(data):
        if not isinstance(row, dict):
            example = f"{{{keys[0]!r}: ...}}" if keys else "{}"
            raise CodecError(f"row {i} is {type_name(row)}, a record such as {example} is wanted")
        if row.keys() != wanted:
            check_columns(list(row), keys, f"row {i}")
    series = {}
    for i, (key, column) in enumerate(zip(keys, columns, strict=True)):
        where = f"row {{}}, column {key.replace('{', '{{').replace('}', '}}')!r}".format
        series[i] = series_from_json([row[key] for row in data], column, where, index=index)
    return pd.DataFrame(series, index=index)


def scalar_from_json(data: Any, descriptor: Descriptor) -> Any:
    return values_from_json([data], descriptor, lambda i: "the value")[0]


def moment_from_json(data: Any, descriptor: Descriptor) -> Any:
    if data is None:
        raise CodecError(f"null, but a {descriptor['dtype']} is wanted")
    return series_from_json([data], descriptor, lambda i: "the value").iloc[0]


def missing_from_json(data: Any, descriptor: Descriptor) -> Any:
    import pandas as pd

    if data is not None:
        raise CodecError(f"{shown(data)} is {type_name(data)}, null is wanted")
    return {"NaT": pd.NaT, "NA": pd.NA}[descriptor["name"]]


def any_from_json(data: Any, descriptor: Descriptor | None = None) -> Any:
    """Natural JSON as it is; what says itself what it is, as that."""
    if isinstance(data, list):
        return [placed(f"item {i}", item, any_from_json) for i, item in enumerate(data)]
    if isinstance(data, dict):
        if is_envelope(data):
            return self_described_from_json(data)
        return {key: placed(f"field {key!r}", item, any_from_json) for key, item in data.items()}
    if type(data) is float and math.isinf(data):
        raise CodecError("a number is too large for a float")
    return data


def self_described_from_json(data: dict[str, Any]) -> Any:
    """The value of `{"$type": descriptor, "value": ...}`; the descriptor may be anybody's."""
    try:
        return decode(data["value"], data[TYPE_KEY])
    except CodecError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError) as error:
        raise CodecError(f"{shown(data[TYPE_KEY])} is no descriptor") from error


def optional_from_json(data: Any, descriptor: Descriptor) -> Any:
    if data is None:
        return None
    inner = descriptor["of"]
    if inner["kind"] in NULL_IS_A_VALUE and is_envelope(data):
        return self_described_from_json(data)
    return decode(data, inner)


def union_from_json(data: Any, descriptor: Descriptor) -> Any:
    """Read as that kind whose JSON it is to the letter, else as the first that takes it."""
    from .encoding import encode

    if is_envelope(data):
        value = self_described_from_json(data)
        if reason := conforms(value, descriptor):
            raise CodecError(reason)
        return value
    taken: list[Any] = []
    for inner in descriptor["of"]:
        try:
            value = decode(data, inner)
            written = encode(value, inner)
        except CodecError:
            continue
        if type(written) is type(data) and written == data:
            return value
        taken.append(value)
    if taken:
        return taken[0]
    wanted = " or ".join(inner["kind"] for inner in descriptor["of"])
    raise CodecError(f"{shown(data)} is {type_name(data)}, {wanted} is wanted")


def choice_from_json(data: Any, descriptor: Descriptor) -> Any:
    for choice in descriptor["values"]:
        if data == choice and isinstance(data, bool) == isinstance(choice, bool):
            return decode(choice, descriptor["of"])
    raise CodecError(f"{shown(data)} is none of {descriptor['values']}")


def record_from_json(data: Any, descriptor: Descriptor) -> Any:
    if not isinstance(data, dict):
        raise CodecError(f"an object is wanted, not {type_name(data)}")
    fields, optional = descriptor["fields"], descriptor.get("optional", ())
    names = [name for name in fields if name in data or name not in optional]
    check_columns(list(data), names, "it", "fields")
    return {name: placed(f"field {name!r}", data[name], decode, fields[name]) for name in data}


def mapping_from_json(data: Any, descriptor: Descriptor) -> Any:
    if not isinstance(data, dict):
        raise CodecError(f"an object is wanted, not {type_name(data)}")
    keys, values = descriptor.get("keys"), descriptor["values"]
    return {
        key_from_json(key, keys): placed(f"field {key!r}", item, decode, values) for key, item in data.items()
    }


def key_from_json(key: str, descriptor: Descriptor | None) -> Any:
    if descriptor is None:
        return key
    try:
        found = decode(json.loads(key), descriptor)
        hash(found)
    except (ValueError, TypeError) as error:  # no JSON, or not of that kind, or no key
        raise CodecError(f"the key {key!r}: {error}") from error
    return found


def items_from_json(data: Any, descriptor: Descriptor) -> Any:
    if not isinstance(data, list):
        raise CodecError(f"a list is wanted, not {type_name(data)}")
    kind, items = descriptor["kind"], descriptor["items"]
    if isinstance(items, list) and len(data) != len(items):
        raise CodecError(f"a list of {len(items)} items is wanted, not of {len(data)}")
    found = [
        placed(f"item {i}", item, decode, items[i] if isinstance(items, list) else items)
        for i, item in enumerate(data)
    ]
    if kind == "list":
        return found
    if kind == "tuple":
        return tuple(found)
    try:
        return frozenset(found) if descriptor.get("frozen") else set(found)
    except TypeError as error:
        raise CodecError(f"an item cannot be in a set: {error}") from error


def image_from_json(data: Any, descriptor: Descriptor) -> Any:
    from PIL import Image

    if not isinstance(data, str):
        raise CodecError(f"an image as base64 is wanted, not {type_name(data)}")
    try:
        image = Image.open(io.BytesIO(bytes_of(data)))
        image.load()
    except (OSError, SyntaxError) as error:
        raise CodecError("that is no image") from error
    return image


def file_from_json(data: Any, descriptor: Descriptor) -> FileContent:
    if not isinstance(data, dict) or data.keys() != {"name", "content"}:
        raise CodecError("a file as {'name': ..., 'content': base64} is wanted")
    content = FileContent(bytes_of(data["content"]))
    content.name = str(data["name"])
    return content


def placed(place: str, item: Any, read: Any, *args: Any) -> Any:
    """What a function reads; its CodecError says in which place it was."""
    try:
        return read(item, *args)
    except CodecError as error:
        raise error.inside(place) from error


DECODERS: dict[str, Any] = {
    "array": array_from_json,
    "scalar": scalar_from_json,
    "moment": moment_from_json,
    "missing": missing_from_json,
    "any": any_from_json,
    "optional": optional_from_json,
    "union": union_from_json,
    "choices": choice_from_json,
    "record": record_from_json,
    "mapping": mapping_from_json,
    "list": items_from_json,
    "tuple": items_from_json,
    "set": items_from_json,
    # pydantic makes the model of it, in the service.
    "model": lambda data, descriptor: data,
    "image": image_from_json,
    "file": file_from_json,
}
