"""Arrays and frames as JSON and back, with the types they had: one codec for both ends of an endpoint.

A *descriptor* says what a value is; `encode` and `decode` follow it. Descriptors are plain JSON: they travel
in a service's `/schema.json` (key `descriptor`, put there by `Typed`), and a caller needs nothing else:

    {"kind": "array", "dtype": "float64", "shape": [-1, 4]}
    {"kind": "frame", "columns": [{"name": "age", "dtype": "int32"}, {"name": "sex", "dtype": "str"}]}
    {"kind": "series", "name": "y", "dtype": "float64"}    {"kind": "scalar", "dtype": "int64"}

and of other services' schemas, without dtypes, `{"kind": "records"}` (a frame) and `{"kind": "json"}`.

On the wire arrays are nested lists, frames lists of records, and the JSON is strict: missing is `null`,
infinities are `"Infinity"` and `"-Infinity"`, times are ISO 8601 text, durations whole numbers of their unit.
Floats are written with the digits that bring back the same bits. What cannot come back as it was is refused.

This package stands alone (standard library, numpy, and pandas where there are frames; pydantic in `typed`): a
copy of it serves in each Bento.
"""

from __future__ import annotations

from .decoding import decode
from .descriptors import CodecError, Descriptor, conforms, describe
from .encoding import encode
from .typed import Typed, descriptor_from_schema, endpoint_types

__all__ = [
    "CodecError",
    "Descriptor",
    "Typed",
    "conforms",
    "decode",
    "describe",
    "descriptor_from_schema",
    "encode",
    "endpoint_types",
]
