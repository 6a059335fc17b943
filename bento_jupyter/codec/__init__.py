"""Values as JSON or Arrow and back, with the types they had: one codec for both ends of an endpoint.

A *descriptor* says what a value is; `encode` and `decode` follow it. Descriptors are plain JSON: they travel
in a service's `/schema.json` (key `descriptor`, put there by `Typed`), and a caller needs nothing else.

With rows, their number free (dtypes as numpy and pandas name them):

    {"kind": "array", "dtype": "float64", "shape": [-1, 4]}            nested lists; shape [] = one value;
                                                                       `"library": "torch"`: a tensor
    {"kind": "frame", "columns": [{"name": "age", "dtype": "int32"}]}  list of records
    {"kind": "series", "name": "y", "dtype": "float64"}                list

  Frames and series whose rows are not 0, 1, 2, ... have `index`, a list of levels like columns; then the JSON
  is `{"index": [...], "data": [...]}`, and still the plain list for those who do without. Of a column,
  `categories`, `of` and `ordered` go with dtype `category`; `missing` says what null is among objects; in
  what an endpoint takes, `"nullable": false` says that null is refused, and `types` what plain values an
  object column has.

Python's own: `none bool int float str bytes datetime date time timedelta decimal uuid` and

    {"kind": "scalar", "dtype": "float32"}     a numpy scalar; `moment`, `missing`: pandas' Timestamp, NaT, NA
    {"kind": "record", "fields": {name: descriptor}, "optional": [name]}     a dict with these keys
    {"kind": "mapping", "values": descriptor}  a dict with any texts as keys; `keys`: others, as JSON text
    {"kind": "list", "items": descriptor}      {"kind": "tuple", "items": [descriptor] or descriptor}; `set`
    {"kind": "optional", "of": descriptor}     {"kind": "choices", "of": descriptor, "values": [JSON]}
    {"kind": "union", "of": [descriptor]}      {"kind": "any"}: plain JSON of any shape
    {"kind": "float", "whole": true}           what Python's hint `float` means: whole numbers stay whole
    {"kind": "model", "type": name, "schema": JSON schema}     what pydantic reads by a class's annotations
    {"kind": "image"}  {"kind": "file"}        uploads

and of other services' schemas, without dtypes, `{"kind": "records"}` (a frame) and `{"kind": "json"}`.

On the wire the JSON is strict: missing is `null`, infinities are `"Infinity"` and `"-Infinity"`, times ISO
8601 text, durations of frames whole numbers of their unit, bytes base64. Floats are written with the digits
that bring back the same bits. Where a value is not what its descriptor says, or none was made, it says so
itself: `{"$type": descriptor, "value": JSON}`. What cannot come back as it was is refused.

This package stands alone (standard library, numpy, and pandas where there are frames; pydantic in `typed`,
pyarrow in `arrow`, both only when they are used): a copy of it serves in each Bento.
"""

from __future__ import annotations

from .answers import decode_answer, encode_answer
from .decoding import FileContent, decode
from .describing import conforms, describe, unite
from .descriptors import CodecError, Descriptor
from .encoding import encode
from .negotiation import ArrowMiddleware
from .typed import Typed, descriptor_from_schema, endpoint_types

__all__ = [
    "ArrowMiddleware",
    "CodecError",
    "Descriptor",
    "FileContent",
    "Typed",
    "conforms",
    "decode",
    "decode_answer",
    "describe",
    "descriptor_from_schema",
    "encode",
    "encode_answer",
    "endpoint_types",
    "unite",
]
