"""Values to JSON."""

from __future__ import annotations

import base64
import io
import json
import math
import pathlib
from collections.abc import Sequence
from typing import Any

from .columns import array_field, column_field, non_finite_json, values_to_json
from .decoding import any_from_json, decode
from .describing import conforms, describe, is_image, labels_wanted
from .descriptors import (
    FREE_KINDS,
    TYPE_KEY,
    CodecError,
    Descriptor,
    Field,
    check_columns,
    class_name,
    is_envelope,
    is_pandas,
    plain_value,
    type_name,
)
from .models import is_model
from .models import model_to_json as dump_model
from .plain import KINDS, PLAIN, plain_to_json, shown
from .tensors import array_of

__all__ = ["encode"]

#: Values of JSON that are no containers and no floats.
PLAIN_JSON = (type(None), bool, int, str)


def encode(value: Any, descriptor: Descriptor) -> Any:
    """`value` as what `json.dumps` writes strictly, by `descriptor`.

    Args:
        value: An array for `array` (lists too), a DataFrame for `frame` (columns in any order), and so on.
        descriptor: What the endpoint takes.

    Raises:
        CodecError: When columns or fields are missing or unknown, or a value cannot be carried exactly.

    Example:
        >>> encode([[1.5, float("nan")]], {"kind": "array", "dtype": "float64", "shape": [-1, 2]})
        [[1.5, None]]
    """
    kind = descriptor["kind"]
    if kind in KINDS:
        return plain_to_json(value if type(value) in PLAIN else plain_value(value), descriptor)
    if kind in FREE_KINDS:
        listed = free_json(value)
        by_columns = descriptor.get("orient") == "columns" and isinstance(listed, list) and listed
        return {key: [row[key] for row in listed] for key in listed[0]} if by_columns else listed
    if kind in ENCODERS:
        return ENCODERS[kind](value, descriptor)
    raise CodecError(f"the descriptor is of the unknown kind {kind!r}")


def self_described(value: Any) -> dict[str, Any]:
    """A value with its descriptor."""
    descriptor = describe(value)
    return {TYPE_KEY: descriptor, "value": encode(value, descriptor)}


def natural(value: Any) -> Any:
    """Plain JSON as it is, anything else with its descriptor: JSON that needs none."""
    kind = type(value)
    if value is None or kind is bool:
        return value
    if kind in (str, int):
        return plain_to_json(value, {"kind": PLAIN[kind]})
    if kind is float and math.isfinite(value):
        return value
    if kind is list:
        return [placed(f"item {i}", natural, item) for i, item in enumerate(value)]
    if kind is dict and all(type(key) is str for key in value):
        fields = {key: placed(f"field {key!r}", natural, item) for key, item in value.items()}
        if not is_envelope(fields):
            return fields
    if is_model(value):
        data = dump_model(value)
        if stands_for_itself(data):
            return data
    return self_described(value)


def stands_for_itself(data: Any) -> bool:
    """Would JSON be read as what it is?"""
    try:
        return identical(any_from_json(data), data)
    except CodecError:
        return False


def identical(a: Any, b: Any) -> bool:
    """Are two values of plain JSON the same, to the type and the bit? Other values are none."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(identical(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(identical(*pair) for pair in zip(a, b, strict=True))
    if isinstance(a, float):
        return repr(a) == repr(b)
    return type(a) in PLAIN_JSON and bool(a == b)


def placed(place: str, write: Any, *args: Any) -> Any:
    """What a function answers; its CodecError says in which place it was."""
    try:
        return write(*args)
    except CodecError as error:
        raise error.inside(place) from error


def array_to_json(value: Any, descriptor: Descriptor) -> Any:
    import numpy as np

    kind, dtype = descriptor["kind"], descriptor.get("dtype")
    value = array_of(value)
    if kind == "array" and (is_pandas(value, "DataFrame") or is_pandas(value, "Series")):
        value = value.to_numpy()
    try:
        array = (
            value if isinstance(value, np.ndarray) else np.asarray(value, dtype=wanted_dtype(value, dtype))
        )
    except (ValueError, TypeError) as error:
        raise CodecError(
            f"{type_name(value)} is no array of {dtype}, or its rows differ in length"
        ) from error
    shape = descriptor.get("shape")
    if shape is not None and array.ndim != len(shape):
        raise CodecError(f"the array has {array.ndim} dimensions, {len(shape)} are wanted")
    field = array_field(array, "the array")
    if field["dtype"] == "object" and dtype == "object":
        field["missing"] = descriptor.get("missing", "NaN")
    flat = values_to_json(array.ravel(), field, "the array")
    return nested(flat, array.shape) if array.ndim else flat[0]


def wanted_dtype(value: Any, dtype: str | None) -> Any:
    """Numbers next to texts stay what they are only in an object array; numpy would make texts of all."""
    if hasattr(value, "dtype"):
        return None
    if dtype == "object" or (dtype or "").startswith(("datetime64", "timedelta64")):
        return dtype
    return None


def series_to_json(value: Any, descriptor: Descriptor) -> Any:
    if not is_pandas(value, "Series"):
        raise CodecError(f"a Series is wanted, not {type_name(value)}")
    field = as_missing(column_field(value, "the series"), descriptor)
    return with_index(values_to_json(value, field, "the series"), value.index, descriptor)


def frame_to_json(frame: Any, descriptor: Descriptor) -> Any:
    columns: list[Field] = descriptor["columns"]
    if not is_pandas(frame, "DataFrame"):
        import pandas as pd

        try:
            frame = pd.DataFrame(frame, dtype=object)
        except (TypeError, ValueError) as error:
            raise CodecError(f"a DataFrame is wanted, not {type_name(frame)}") from error
    check_columns(
        [str(name) for name in frame.columns], [str(column["name"]) for column in columns], "the frame"
    )
    by_name = {str(name): frame.iloc[:, i] for i, name in enumerate(frame.columns)}
    lists = []
    for column in columns:
        series, where = by_name[str(column["name"])], f"column {column['name']!r}"
        lists.append(values_to_json(series, as_missing(column_field(series, where), column), where))
    keys = [str(column["name"]) for column in columns]
    rows: list[Any] = (
        [dict(zip(keys, row, strict=True)) for row in zip(*lists, strict=True)]
        if lists
        else [{} for _ in range(len(frame))]
    )
    return with_index(rows, frame.index, descriptor)


def as_missing(field: Field, wanted: Field) -> Field:
    """Null means what the reader takes it for."""
    if field["dtype"] == wanted["dtype"] == "object":
        field["missing"] = wanted.get("missing", "NaN")
    return field


def with_index(rows: list[Any], index: Any, descriptor: Descriptor) -> Any:
    """The rows; with their labels where the descriptor has room for them and they are not just 0, 1, ..."""
    levels = descriptor.get("index")
    if not levels or not labels_wanted(index, levels):
        return rows
    if index.nlevels != len(levels):
        raise CodecError(f"the index has {index.nlevels} levels, {len(levels)} are wanted")
    listed = []
    for i, level in enumerate(levels):
        series, where = index.get_level_values(i).to_series(), f"level {i} of the index"
        listed.append(values_to_json(series, as_missing(column_field(series, where), level), where))
    labels = listed[0] if len(listed) == 1 else [list(row) for row in zip(*listed, strict=True)]
    return {"index": labels, "data": rows}


def scalar_to_json(value: Any, descriptor: Descriptor) -> Any:
    import numpy as np

    array = value if isinstance(value, np.ndarray) else np.asarray(value)
    if array.ndim:
        raise CodecError(f"one value is wanted, not {type_name(value)}")
    return values_to_json(array.reshape(1), array_field(array, "the value"), "the value")[0]


def moment_to_json(value: Any, descriptor: Descriptor) -> Any:
    import pandas as pd

    series = pd.Series([value])
    field = column_field(series, "the value")
    if field["dtype"].partition("[")[0] != descriptor["dtype"].partition("[")[0]:
        raise CodecError(f"{shown(value)} is no {descriptor['dtype']}")
    return values_to_json(series, field, "the value")[0]


def optional_to_json(value: Any, descriptor: Descriptor) -> Any:
    if value is None:
        return None
    data = encode(value, descriptor["of"])
    return self_described(value) if data is None else data


def union_to_json(value: Any, descriptor: Descriptor) -> Any:
    for inner in descriptor["of"]:
        if not conforms(value, inner):
            data = encode(value, inner)
            # A text that looks like a time would be read as one where both are taken.
            return self_described(value) if conforms(decode(data, descriptor), inner) else data
    wanted = " or ".join(inner["kind"] for inner in descriptor["of"])
    raise CodecError(f"{shown(value)} is {type_name(value)}, {wanted} is wanted")


def choice_to_json(value: Any, descriptor: Descriptor) -> Any:
    data = encode(value, descriptor["of"])
    if not any(type(data) is type(choice) and data == choice for choice in descriptor["values"]):
        raise CodecError(f"{shown(data)} is none of {descriptor['values']}")
    return data


def record_to_json(value: Any, descriptor: Descriptor) -> Any:
    if not isinstance(value, dict):
        raise CodecError(f"a dict is wanted, not {type_name(value)}")
    fields, optional = descriptor["fields"], descriptor.get("optional", ())
    names = [name for name in fields if name in value or name not in optional]
    check_columns([str(key) for key in value], names, "the dict", "fields")
    return {key: placed(f"field {key!r}", encode, item, fields[key]) for key, item in value.items()}


def mapping_to_json(value: Any, descriptor: Descriptor) -> Any:
    if not isinstance(value, dict):
        raise CodecError(f"a dict is wanted, not {type_name(value)}")
    found = {}
    for key, item in value.items():
        found[key_to_json(key, descriptor.get("keys"))] = placed(
            f"field {key!r}", encode, item, descriptor["values"]
        )
    return found


def key_to_json(key: Any, descriptor: Descriptor | None) -> str:
    if descriptor is None:
        if type(key) is not str:
            raise CodecError(f"the key {key!r} is {type_name(key)}, text is wanted")
        return key
    return json.dumps(encode(key, descriptor), allow_nan=False, ensure_ascii=False, sort_keys=True)


def items_to_json(value: Any, descriptor: Descriptor) -> Any:
    kind, items = descriptor["kind"], descriptor["items"]
    if kind == "set":
        if not isinstance(value, (set, frozenset)):
            raise CodecError(f"a set is wanted, not {type_name(value)}")
        return sorted(
            (encode(item, items) for item in value), key=lambda data: json.dumps(data, sort_keys=True)
        )
    if is_array(value):
        value = list(value)
    if not isinstance(value, (list, tuple)):
        raise CodecError(f"a {kind} is wanted, not {type_name(value)}")
    if isinstance(items, list):
        if len(value) != len(items):
            raise CodecError(f"{len(items)} items are wanted, not {len(value)}")
        pairs = zip(value, items, strict=True)
    else:
        pairs = ((item, items) for item in value)  # type: ignore[assignment]
    return [placed(f"item {i}", encode, item, wanted) for i, (item, wanted) in enumerate(pairs)]


def is_array(value: Any) -> bool:
    """Is it an array or a Series of at least one dimension?"""
    return hasattr(value, "tolist") and hasattr(value, "ndim") and value.ndim > 0


def model_to_json(value: Any, descriptor: Descriptor) -> Any:
    from .models import model_to_json as dump

    return dump(value)


def image_to_json(value: Any, descriptor: Descriptor) -> str:
    """The image as base64 of a PNG."""
    if not is_image(value):
        raise CodecError(f"a PIL image is wanted, not {type_name(value)}")
    out = io.BytesIO()
    try:
        value.save(out, format="PNG")
    except OSError as error:
        raise CodecError(f"an image of mode {value.mode} does not fit PNG; use .convert('RGB')") from error
    return base64.b64encode(out.getvalue()).decode("ascii")


def file_to_json(value: Any, descriptor: Descriptor) -> dict[str, str]:
    """Name and content of a file."""
    if isinstance(value, pathlib.PurePath):
        name = value.name
        try:
            content = pathlib.Path(value).read_bytes()
        except OSError as error:
            raise CodecError(f"the file {value} cannot be read: {error.strerror}") from error
    elif isinstance(value, (bytes, bytearray)):
        name, content = getattr(value, "name", ""), bytes(value)
    else:
        raise CodecError(f"a path or bytes are wanted, not {class_name(value)}")
    return {"name": name, "content": base64.b64encode(content).decode("ascii")}


ENCODERS: dict[str, Any] = {
    "array": array_to_json,
    "frame": frame_to_json,
    "series": series_to_json,
    "scalar": scalar_to_json,
    "moment": moment_to_json,
    "missing": lambda value, descriptor: None,
    "any": lambda value, descriptor: natural(value),
    "optional": optional_to_json,
    "union": union_to_json,
    "choices": choice_to_json,
    "record": record_to_json,
    "mapping": mapping_to_json,
    "list": items_to_json,
    "tuple": items_to_json,
    "set": items_to_json,
    "model": model_to_json,
    "image": image_to_json,
    "file": file_to_json,
}


def nested(flat: list[Any], shape: Sequence[int]) -> list[Any]:
    if not math.prod(shape):
        return empty_lists(shape)
    for size in reversed(shape[1:]):
        flat = [flat[i : i + size] for i in range(0, len(flat), size)]
    return flat


def empty_lists(shape: Sequence[int]) -> list[Any]:
    return [empty_lists(shape[1:]) for _ in range(shape[0])] if shape[0] and len(shape) > 1 else []


def free_json(value: Any) -> Any:
    """A value without a descriptor, as natural JSON."""
    if is_pandas(value, "DataFrame") or is_pandas(value, "Series") or hasattr(value, "dtype"):
        descriptor = describe(value)
        descriptor.pop("index", None)
        return encode(value, descriptor)
    if isinstance(value, dict):
        return {str(key): free_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [free_json(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return non_finite_json(value)
    return dump_model(value) if is_model(value) else value
