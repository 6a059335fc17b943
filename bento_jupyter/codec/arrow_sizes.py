"""How much memory an Arrow stream asks for, told before it is taken: a small one may stand for terabytes.

Compressed buffers say first to how many bytes they expand; where they are is in the messages' metadata, which
are flatbuffers. Source: Arrow's `format/Message.fbs` (RecordBatch, DictionaryBatch, BodyCompression).
"""

from __future__ import annotations

import struct
from typing import Any

from .descriptors import CodecError

__all__ = ["check_expansion", "check_rows"]

#: Most bytes that the compressed buffers of a stream may expand to.
MOST_EXPANDED = 2**30
#: Types of headers in `Message.fbs`.
DICTIONARY, BATCH = 2, 3
#: Fields of the tables there, by their number.
HEADER_TYPE, HEADER = 1, 2
DICTIONARY_DATA = 1
BUFFERS, COMPRESSION = 2, 3


def check_expansion(data: bytes, most: int = MOST_EXPANDED) -> None:
    """Refuse a stream whose compressed buffers expand to more than `most` bytes.

    Raises:
        CodecError: They do, or it is no Arrow stream.
    """
    import pyarrow as pa

    total = 0
    for message in pa.ipc.MessageReader.open_stream(data):
        try:
            total += expansion(memoryview(message.metadata), message.body)
        except (struct.error, IndexError) as error:
            raise CodecError("the metadata of a message of the stream are cut short") from error
        if total > most:
            raise CodecError(f"its compressed buffers expand to more than {most:,} bytes; send it in parts")


def check_rows(rows: int, data: bytes, table: Any) -> None:
    """Refuse columns without content, such as nulls only, of more rows than a stream of that size can have.

    Raises:
        CodecError: There is one.
    """
    import pyarrow as pa

    if rows > max(8 * len(data), 1024) and any(
        pa.types.is_null(each) or pa.types.is_run_end_encoded(each) for each in table.schema.types
    ):
        raise CodecError(f"{rows:,} rows without content are not taken")


def expansion(metadata: memoryview, body: Any) -> int:
    """The bytes to which the compressed buffers of a message expand."""
    message = followed(metadata, 0)
    kind_at = field(metadata, message, HEADER_TYPE)
    kind = metadata[kind_at] if kind_at else 0
    if kind not in (DICTIONARY, BATCH):
        return 0
    batch = followed(metadata, field(metadata, message, HEADER))
    if kind == DICTIONARY:
        batch = followed(metadata, field(metadata, batch, DICTIONARY_DATA))
    if not field(metadata, batch, COMPRESSION):
        return 0
    buffers = followed(metadata, field(metadata, batch, BUFFERS))
    (count,) = struct.unpack_from("<I", metadata, buffers)
    content, total = memoryview(body), 0
    for i in range(count):
        offset, length = struct.unpack_from("<qq", metadata, buffers + 4 + 16 * i)
        if length:
            (size,) = struct.unpack_from("<q", content, offset)
            total += max(size, 0)  # -1: this one is not compressed
    return total


def followed(data: memoryview, place: int) -> int:
    """Where an offset leads."""
    return place + int(struct.unpack_from("<I", data, place)[0])


def field(data: memoryview, table: int, number: int) -> int:
    """Where a field of a table is; 0 = it is not there."""
    vtable = table - int(struct.unpack_from("<i", data, table)[0])
    (size,) = struct.unpack_from("<H", data, vtable)
    if 4 + 2 * number >= size:
        return 0
    (offset,) = struct.unpack_from("<H", data, vtable + 4 + 2 * number)
    return table + int(offset) if offset else 0
