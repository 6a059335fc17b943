"""Tables as Arrow IPC streams and back, exactly: column by column, by their descriptors.

One stream carries one table: columns of a frame or series (row labels as `__index_level_0__`, ...), or an
array as one column, of more than one dimension as `arrow.fixed_shape_tensor` or fixed-size lists. The
schema's metadata holds JSON: `parameters`, a request's other inputs, and `descriptor`, what an answer is.
NaN is NaN and null is null. Columns that Arrow has no type for are texts of JSON and say so (field metadata
`encoding: json`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from typing import Any

from .arrow_columns import from_column, to_column
from .arrow_sizes import check_expansion, check_rows
from .columns import array_field, column_field
from .decoding import decode, with_freq, with_header
from .describing import describe, labels_wanted
from .descriptors import TABLES, CodecError, Descriptor, Field, check_columns, is_pandas
from .encoding import as_missing, encode
from .reading import values_from_json
from .tensors import LIBRARY, array_of, as_library

__all__ = ["MEDIA_TYPE", "answer_from_arrow", "answer_to_arrow", "from_arrow", "table_parameter", "to_arrow"]

MEDIA_TYPE = "application/vnd.apache.arrow.stream"
INDEX = "__index_level_{}__"
#: Column of a series or an array.
VALUES = "values"
#: How every writer ends a stream; one without it was cut short.
END = b"\xff\xff\xff\xff\x00\x00\x00\x00"
Where = Callable[[int], str]


def table_parameter(descriptors: Mapping[str, Descriptor | None]) -> tuple[str, str]:
    """The one input that is a table, or why there is none: `(name, "")` or `("", reason)`."""
    tables = [name for name, descriptor in descriptors.items() if descriptor and descriptor["kind"] in TABLES]
    if len(tables) == 1:
        return tables[0], ""
    return "", f"{', '.join(tables)} are tables, a stream carries one" if tables else "no input is a table"


def to_arrow(values: Mapping[str, Any], descriptors: Mapping[str, Descriptor]) -> bytes:
    """The inputs of an endpoint as one Arrow stream.

    Args:
        values: Inputs by name; the table is an array, DataFrame or Series.
        descriptors: What the endpoint takes, by name.

    Raises:
        CodecError: There is not exactly one table, or an input does not fit.
    """
    name, reason = table_parameter(descriptors)
    if not name or name not in values:
        raise CodecError(reason or f"the table {name} is missing")
    rest = {key: encode(value, descriptors[key]) for key, value in values.items() if key != name}
    return written(values[name], descriptors[name], {"parameters": rest})


def from_arrow(data: bytes, descriptors: Mapping[str, Descriptor]) -> dict[str, Any]:
    """The inputs that an Arrow stream carries: what `to_arrow` wrote.

    Args:
        data: The whole stream.
        descriptors: What the endpoint takes, by name.

    Raises:
        CodecError: It is no whole stream, or an input does not fit; it names column and row.
    """
    table, rest = request_parts(data, descriptors)
    return {**table, **{name: decode(item, descriptors[name]) for name, item in rest.items()}}


def request_parts(
    data: bytes, descriptors: Mapping[str, Descriptor | None]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The table by its name, and the JSON of the other inputs."""
    name, reason = table_parameter(descriptors)
    descriptor = descriptors.get(name)
    if descriptor is None:
        raise CodecError(reason)
    table, metadata = opened(data)
    rest = metadata.get("parameters", {})
    if not isinstance(rest, dict):
        raise CodecError("the metadata `parameters` is no object")
    unknown = [key for key in rest if key not in descriptors or key == name]
    if unknown:
        raise CodecError(f"the metadata `parameters` has the unknown inputs {unknown}")
    try:
        return {name: read_table(table, descriptor)}, rest
    except CodecError as error:
        raise error.inside(name) from error


def answer_to_arrow(value: Any) -> bytes:
    """An answer as an Arrow stream that says itself what it is.

    Raises:
        CodecError: It is no table, or cannot be carried exactly.
    """
    descriptor = describe(value)
    if descriptor["kind"] not in TABLES:
        raise CodecError(f"a {descriptor['kind']} is no table")
    return written(value, descriptor, {"descriptor": descriptor})


def answer_from_arrow(data: bytes) -> Any:
    """The answer that `answer_to_arrow` wrote.

    Raises:
        CodecError: It is no such stream.
    """
    table, metadata = opened(data)
    descriptor = metadata.get("descriptor")
    if not isinstance(descriptor, dict):
        raise CodecError("the stream does not say what it carries")
    return read_table(table, descriptor)


def written(value: Any, descriptor: Descriptor, metadata: dict[str, Any]) -> bytes:
    """A stream of one table."""
    import pyarrow as pa

    with arrow_errors("the table"):
        arrays, fields, rows = TO_TABLE[descriptor["kind"]](value, descriptor)
        texts = {key: json.dumps(item, allow_nan=False) for key, item in {**metadata, "rows": rows}.items()}
        schema = pa.schema(fields, metadata=texts)
        batch = pa.RecordBatch.from_arrays(arrays, schema=schema)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, schema) as writer:
            writer.write_batch(batch)
        found: bytes = sink.getvalue().to_pybytes()
    return found


def opened(data: bytes) -> tuple[Any, dict[str, Any]]:
    """The table of a whole stream, checked, and its metadata."""
    import pyarrow as pa

    if not data.endswith(END):
        raise CodecError("that is no whole Arrow stream: its end is missing")
    with arrow_errors("the stream"):
        check_expansion(data)
        source = pa.BufferReader(data)
        table = pa.ipc.open_stream(source).read_all()
        if source.tell() != len(data):
            raise CodecError("there is more behind the end of the Arrow stream")
        check_rows(table.num_rows, data, table)
        table.validate(full=True)
        texts = {key.decode("utf-8", "replace"): text for key, text in (table.schema.metadata or {}).items()}
        metadata = {
            key: json.loads(texts[key]) for key in ("parameters", "descriptor", "rows") if key in texts
        }
    rows = metadata.get("rows")
    if rows is not None and rows != table.num_rows and table.num_columns:
        raise CodecError(f"the stream has {table.num_rows} rows, and should have {rows}")
    return table, metadata


@contextmanager
def arrow_errors(what: str) -> Any:
    """Whatever Arrow makes of bytes of anybody's is a CodecError."""
    import pyarrow as pa

    try:
        yield
    except CodecError:
        raise
    except (
        pa.ArrowException,
        OSError,
        ValueError,
        TypeError,
        KeyError,
        RecursionError,
        MemoryError,
    ) as error:
        first = next(iter(str(error).splitlines()), type(error).__name__)
        raise CodecError(f"{what} cannot be carried as Arrow: {first}") from error


# --- tables to Arrow ------------------------------------------------------------------------


def frame_columns(frame: Any, descriptor: Descriptor) -> tuple[list[Any], list[Any], int]:
    if not is_pandas(frame, "DataFrame"):
        raise CodecError("a DataFrame is wanted")
    names = [str(column["name"]) for column in descriptor["columns"]]
    check_columns([str(name) for name in frame.columns], names, "the frame")
    by_name = {str(name): frame.iloc[:, i] for i, name in enumerate(frame.columns)}
    pairs = [
        column_pair(name, by_name[name], column)
        for name, column in zip(names, descriptor["columns"], strict=True)
    ]
    return [*split(pairs + index_pairs(frame.index, descriptor)), len(frame)]  # type: ignore[return-value]


def series_columns(series: Any, descriptor: Descriptor) -> tuple[list[Any], list[Any], int]:
    if not is_pandas(series, "Series"):
        raise CodecError("a Series is wanted")
    pairs = [column_pair(VALUES, series, descriptor), *index_pairs(series.index, descriptor)]
    return [*split(pairs), len(series)]  # type: ignore[return-value]


def array_columns(array: Any, descriptor: Descriptor) -> tuple[list[Any], list[Any], int]:
    import numpy as np
    import pyarrow as pa

    array = np.asarray(array_of(array))
    shape = descriptor.get("shape")
    if shape is not None and array.ndim != len(shape):
        raise CodecError(f"the array has {array.ndim} dimensions, {len(shape)} are wanted")
    field = as_missing(array_field(array, "the array"), descriptor)
    flat, metadata = to_column(np.ascontiguousarray(array).reshape(-1), field, "the array")
    if array.ndim > 1:
        rows, inner = array.shape[0], array.shape[1:]
        metadata = {**metadata, b"shape": json.dumps(inner).encode()}
        width = math.prod(inner)
        if not width:
            flat = pa.nulls(rows)
        elif array.dtype.kind in "iuf" and array.dtype.isnative:
            kind = pa.fixed_shape_tensor(flat.type, inner)
            flat = pa.ExtensionArray.from_storage(kind, pa.FixedSizeListArray.from_arrays(flat, width))
        else:
            flat = pa.FixedSizeListArray.from_arrays(flat, width)
    return [flat], [pa.field(VALUES, flat.type, metadata=metadata)], len(flat)


def index_pairs(index: Any, descriptor: Descriptor) -> list[tuple[Any, Any]]:
    levels = descriptor.get("index")
    if not levels or not labels_wanted(index, levels):
        return []
    if index.nlevels != len(levels):
        raise CodecError(f"the index has {index.nlevels} levels, {len(levels)} are wanted")
    return [
        column_pair(INDEX.format(i), index.get_level_values(i).to_series(), level)
        for i, level in enumerate(levels)
    ]


def column_pair(name: str, series: Any, wanted: Field) -> tuple[Any, Any]:
    """A column and its field."""
    import pyarrow as pa

    where = f"column {name!r}"
    field = as_missing(column_field(series, where), wanted)
    array, metadata = to_column(series, field, where)
    return array, pa.field(name, array.type, metadata=metadata)


def split(pairs: list[tuple[Any, Any]]) -> tuple[list[Any], list[Any]]:
    return [array for array, _ in pairs], [field for _, field in pairs]


TO_TABLE: dict[str, Any] = {"frame": frame_columns, "series": series_columns, "array": array_columns}


# --- Arrow to tables ------------------------------------------------------------------------


def read_table(table: Any, descriptor: Descriptor) -> Any:
    """The value of a checked table."""
    with arrow_errors("the table"):
        if descriptor["kind"] == "array":
            return as_library(read_array(table, descriptor), descriptor.get(LIBRARY))
        return read_pandas(table, descriptor)


def read_pandas(table: Any, descriptor: Descriptor) -> Any:
    import pandas as pd

    levels = descriptor.get("index") or []
    labels = [INDEX.format(i) for i in range(len(levels))]
    found = table.column_names
    frame = descriptor["kind"] == "frame"
    names = [str(column["name"]) for column in descriptor["columns"]] if frame else [VALUES]
    given = [name for name in found if name not in labels]
    if not frame and len(given) == 1:
        names = given
    check_columns(given, names, "the table")
    rows = table.num_rows
    if not found and table.schema.metadata and b"rows" in table.schema.metadata:
        rows = int(table.schema.metadata[b"rows"])
    index: Any = pd.RangeIndex(rows)
    if any(label in found for label in labels):
        check_columns([name for name in found if name in labels], labels, "the table")
        index = read_index(table, levels, labels, descriptor.get("freq"))
    if not frame:
        array = read_column(table, names[0], descriptor, "row {}".format)
        return pd.Series(array, index=index, name=descriptor.get("name"), dtype=array.dtype, copy=False)
    columns = {}
    for i, (name, column) in enumerate(zip(names, descriptor["columns"], strict=True)):
        where = f"row {{}}, column {name.replace('{', '{{').replace('}', '}}')!r}".format
        array = read_column(table, name, column, where)
        columns[i] = pd.Series(array, index=index, dtype=array.dtype, copy=False)
    return with_header(pd.DataFrame(columns, index=index), descriptor)


def read_index(table: Any, levels: list[Field], labels: list[str], freq: str | None) -> Any:
    import pandas as pd

    arrays = [
        read_column(table, label, level, f"index {{}}, level {i}".format)
        for i, (label, level) in enumerate(zip(labels, levels, strict=True))
    ]
    if len(levels) > 1:
        return pd.MultiIndex.from_arrays(arrays, names=[level["name"] for level in levels])
    return with_freq(pd.Index(arrays[0], dtype=arrays[0].dtype, name=levels[0]["name"]), freq)


def read_column(table: Any, name: str, field: Field, where: Where) -> Any:
    """A column as what a Series is made of."""
    position = table.column_names.index(name)
    column = table.column(position).combine_chunks()
    return from_column(column, field, where, pandas=True, metadata=table.schema.field(position).metadata)


def read_array(table: Any, descriptor: Descriptor) -> Any:
    import pyarrow as pa

    if table.num_columns != 1:
        raise CodecError(f"one column is wanted for an array, not {table.num_columns}")
    wanted = descriptor.get("shape") or []
    schema_field = table.schema.field(0)
    column = table.column(0).combine_chunks()
    if not wanted:
        if table.num_rows != 1:
            raise CodecError(f"one value is wanted, not {table.num_rows}")
        return from_column(column, descriptor, lambda i: "the value", metadata=schema_field.metadata).reshape(
            ()
        )
    inner: list[int] = []
    if isinstance(column.type, pa.FixedShapeTensorType):
        if column.type.permutation and list(column.type.permutation) != sorted(column.type.permutation):
            raise CodecError("a tensor of permuted dimensions is not taken")
        inner, column = list(column.type.shape), column.storage
    elif schema_field.metadata and b"shape" in schema_field.metadata:
        inner = json.loads(schema_field.metadata[b"shape"])
        if not isinstance(inner, list) or not all(type(size) is int and size >= 0 for size in inner):
            raise CodecError("the metadata `shape` is no list of sizes")
    rows = len(column)
    nested: list[int] = []
    if inner and not math.prod(inner):
        column = pa.array([], pa.large_string())
        nested = inner
    while pa.types.is_fixed_size_list(column.type):
        if column.null_count:
            raise CodecError("a row is null")
        nested.append(column.type.list_size)
        column = column.flatten()
    if not inner:
        inner = nested
    if math.prod(inner) != math.prod(nested) or bool(inner) != bool(nested):
        raise CodecError(f"rows of {math.prod(nested)} values are not of the shape {inner}")
    if len(inner) + 1 != len(wanted) or any(w not in (-1, h) for h, w in zip(inner, wanted[1:], strict=True)):
        raise CodecError(f"rows of the shape {inner} do not fit, {wanted[1:]} is wanted")
    width = math.prod(inner)

    def where(position: int) -> str:
        return f"row {position // width}, column {position % width}" if inner else f"row {position}"

    if not len(column) and not width:
        return values_from_json([], descriptor, where).reshape([rows, *inner])
    return from_column(column, descriptor, where, metadata=schema_field.metadata).reshape([rows, *inner])
