"""Values to descriptors; is a value what a descriptor says; one descriptor for several values."""

from __future__ import annotations

import pathlib
from typing import Any

from .columns import array_field, column_field
from .descriptors import FREE_KINDS, TYPE_KEY, CodecError, Descriptor, class_name, is_pandas, plain_value
from .models import is_model, model_schema
from .plain import PLAIN, describe_plain
from .tensors import LIBRARY, array_of, is_tensor

__all__ = ["conforms", "describe", "index_fields", "labels_wanted", "unite"]

#: Keys of a dict up to which each is described alone.
MOST_FIELDS = 100
#: How deep values may be nested.
DEEPEST = 64
#: Libraries whose arrays are not numpy's, and what to do.
FOREIGN = {
    "tensorflow": "give a numpy array: .numpy()",
    "jax": "give a numpy array: np.asarray(...)",
    "jaxlib": "give a numpy array: np.asarray(...)",
    "cupy": "give a numpy array: .get()",
    "scipy": "give a dense array: .toarray()",
    "polars": "give a pandas DataFrame: .to_pandas()",
    "pyarrow": "give a pandas DataFrame: .to_pandas()",
    "xarray": "give a pandas DataFrame: .to_dataframe()",
}
#: Modes of images that PNG stores to the bit.
PNG_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")


def describe(value: Any) -> Descriptor:
    """The descriptor of a value; the number of its rows is left free.

    Args:
        value: numpy array or scalar, tensor of PyTorch, pandas DataFrame or Series, plain Python value, dict,
            list, tuple or set of such values, pydantic model, dataclass, NamedTuple, member of an Enum, PIL
            image or path.

    Raises:
        CodecError: For what cannot be carried exactly, such as complex numbers, periods or handles; it says
            what to give instead.

    Example:
        >>> import numpy as np
        >>> describe(np.zeros((5, 4)))
        {'kind': 'array', 'dtype': 'float64', 'shape': [-1, 4]}
        >>> describe({"label": "a", "scores": [0.5]})["fields"]["scores"]
        {'kind': 'list', 'items': {'kind': 'float'}}
    """
    return described(value, DEEPEST)


def described(value: Any, depth: int) -> Descriptor:
    if not depth:
        raise CodecError(f"it is nested more than {DEEPEST} levels deep, or contains itself")
    if type(value) in PLAIN:
        return describe_plain(value)
    if isinstance(value, (dict, list, tuple, set, frozenset)) and not hasattr(value, "_fields"):
        return container(value, depth - 1)
    if is_tensor(value):
        return {**described(array_of(value), depth), LIBRARY: "torch"}
    found = numpy_descriptor(value) or pandas_descriptor(value)
    if found is None and is_model(value):
        found = model_descriptor(value)
    if found is None and is_image(value):
        if value.mode not in PNG_MODES:
            raise CodecError(f"an image of mode {value.mode} does not fit PNG; use .convert('RGB')")
        found = {"kind": "image"}
    if found is None and isinstance(value, pathlib.PurePath):
        found = {"kind": "file"}
    if found is None:
        hint = FOREIGN.get(type(value).__module__.partition(".")[0], "")
        raise CodecError(f"a {class_name(value)} cannot be carried{hint and '; ' + hint}")
    return found


def numpy_descriptor(value: Any) -> Descriptor | None:
    import numpy as np

    if isinstance(value, np.generic):
        return {"kind": "scalar", **array_field(np.asarray(value), "the value")}
    if not isinstance(value, np.ndarray):
        return None
    if type(value) not in (np.ndarray, np.memmap):
        hint = ".filled()" if isinstance(value, np.ma.MaskedArray) else "np.asarray(...)"
        raise CodecError(f"a {class_name(value)} cannot be carried; return a numpy array: {hint}")
    return {
        "kind": "array",
        **array_field(value, "the array"),
        "shape": [-1, *value.shape[1:]] if value.ndim else [],
    }


def pandas_descriptor(value: Any) -> Descriptor | None:
    if is_pandas(value, "Series"):
        return {
            "kind": "series",
            "name": column_name(value.name, optional=True),
            **column_field(value, "the series"),
            **index_part(value.index),
        }
    if is_pandas(value, "DataFrame"):
        names = [column_name(name) for name in value.columns]
        if len({str(name) for name in names}) < len(names):
            raise CodecError("two columns have the same name")
        columns = [
            {"name": name, **column_field(value.iloc[:, i], f"column {name!r}")}
            for i, name in enumerate(names)
        ]
        return {
            "kind": "frame",
            "columns": columns,
            **header_part(value.columns, names),
            **index_part(value.index),
        }
    if is_pandas(value, "Timestamp") or is_pandas(value, "Timedelta"):
        import pandas as pd

        return {"kind": "moment", "dtype": column_field(pd.Series([value]), "the value")["dtype"]}
    name = type(value).__name__
    if name in ("NaTType", "NAType"):
        return {"kind": "missing", "name": name.removesuffix("Type")}
    if is_pandas(value, "Index"):
        raise CodecError("an Index cannot be carried; return .to_series() or .to_numpy()")
    return None


def header_part(header: Any, names: list[Any]) -> dict[str, Any]:
    """The keys `columns_name` and `columns_dtype`: what a frame's header has besides its names."""
    import pandas as pd

    title = column_name(header.name, optional=True)
    part = {} if title is None else {"columns_name": title}
    return part if header.dtype == pd.Index(names).dtype else {**part, "columns_dtype": str(header.dtype)}


def index_part(index: Any) -> dict[str, Any]:
    """The key `index` of a descriptor; empty for 0, 1, 2, ... without a name."""
    if is_default_index(index):
        return {}
    part: dict[str, Any] = {"index": index_fields(index)}
    if getattr(index, "freqstr", None):
        part["freq"] = index.freqstr
    return part


def is_default_index(index: Any) -> bool:
    """Is it what a frame has that was given none?"""
    if not is_pandas(index, "RangeIndex"):
        return False
    return bool(index.start == 0 and index.step == 1 and index.name is None)


def labels_wanted(index: Any, levels: list[dict[str, Any]]) -> bool:
    """Are row labels to be written for these levels? 0, 1, ... only where the levels are numbers, too."""
    return not is_default_index(index) or [(level["name"], level["dtype"]) for level in levels] == [
        (None, "int64")
    ]


def index_fields(index: Any) -> list[dict[str, Any]]:
    """What the levels of an index are."""
    return [
        {
            "name": column_name(name, optional=True),
            **column_field(index.get_level_values(i).to_series(), f"level {i} of the index"),
        }
        for i, name in enumerate(index.names)
    ]


def column_name(name: Any, *, optional: bool = False) -> Any:
    name = plain_value(name)
    if type(name) in (str, int) or (optional and name is None):
        return name
    raise CodecError(f"a column is called {name!r}; names must be text or whole numbers")


def container(value: Any, depth: int) -> Descriptor:
    """The descriptor of a dict, list, tuple or set."""
    if isinstance(value, dict):
        if type(value).__module__ not in ("builtins", "collections"):
            raise CodecError(f"a {class_name(value)} cannot be carried; return dict(...) of it")
        named = all(type(key) is str for key in value)
        if named and len(value) <= MOST_FIELDS and value.keys() != {TYPE_KEY, "value"}:
            fields = {key: inside(f"field {key!r}", item, depth) for key, item in value.items()}
            return {"kind": "record", "fields": fields}
        keys = {} if named else {"keys": unite_all([describe_key(key) for key in value])}
        return {
            "kind": "mapping",
            **keys,
            "values": unite_all([inside(f"field {key!r}", item, depth) for key, item in value.items()]),
        }
    if type(value) not in (list, tuple, set, frozenset):
        raise CodecError(f"a {class_name(value)} cannot be carried; return a list of it")
    items = [inside(f"item {i}", item, depth) for i, item in enumerate(value)]
    if isinstance(value, tuple):
        return {"kind": "tuple", "items": items}
    if isinstance(value, list):
        return {"kind": "list", "items": unite_all(items)}
    frozen = {"frozen": True} if isinstance(value, frozenset) else {}
    return {"kind": "set", **frozen, "items": unite_all(items)}


def inside(place: str, value: Any, depth: int) -> Descriptor:
    try:
        return described(value, depth)
    except CodecError as error:
        raise error.inside(place) from error


def describe_key(key: Any) -> Descriptor:
    if type(key) not in PLAIN:
        import numpy as np

        if not isinstance(key, (np.generic, tuple)):
            raise CodecError(f"a dict has the key {key!r}; keys must be plain values")
    return describe(key)


def model_descriptor(value: Any) -> Descriptor:
    return {"kind": "model", "type": type(value).__qualname__, "schema": model_schema(type(value))}


def is_image(value: Any) -> bool:
    return any(cls.__module__ == "PIL.Image" and cls.__name__ == "Image" for cls in type(value).__mro__)


def unite_all(descriptors: list[Descriptor]) -> Descriptor:
    """One descriptor for several values; `any`, until one is seen, for none."""
    if not descriptors:
        return {"kind": "any", "unseen": True}
    found = descriptors[0]
    for other in descriptors[1:]:
        found = unite(found, other)
    return found


def unite(a: Descriptor, b: Descriptor) -> Descriptor:
    """A descriptor that values of both have; `any` when there is no narrower one.

    Example:
        >>> unite({"kind": "int"}, {"kind": "none"})
        {'kind': 'optional', 'of': {'kind': 'int'}}
    """
    if a == b or b.get("unseen"):
        return a
    if a.get("unseen"):
        return b
    kinds = (a["kind"], b["kind"])
    if "optional" in kinds or "none" in kinds:
        inner = [d["of"] if d["kind"] == "optional" else d for d in (a, b) if d["kind"] != "none"]
        united = unite_all(inner)
        return united if united["kind"] == "any" else {"kind": "optional", "of": united}
    if kinds[0] != kinds[1]:
        return {"kind": "any"}
    kind = kinds[0]
    if kind in ("list", "set") and a.get("frozen") == b.get("frozen"):
        return {**a, "items": unite(a["items"], b["items"])}
    if kind == "tuple" and isinstance(a["items"], list) and isinstance(b["items"], list):
        if len(a["items"]) == len(b["items"]):
            return {**a, "items": [unite(x, y) for x, y in zip(a["items"], b["items"], strict=True)]}
        return {"kind": "any"}
    if kind == "mapping" and a.get("keys") == b.get("keys"):
        return {**a, "values": unite(a["values"], b["values"])}
    if kind == "record":
        return unite_records(a, b)
    if kind == "array" and {**a, "shape": 0, "width": 0} == {**b, "shape": 0, "width": 0}:
        shapes = (a["shape"], b["shape"])
        if len(shapes[0]) == len(shapes[1]):
            shape = [x if x == y else -1 for x, y in zip(*shapes, strict=True)]
            return {**a, "shape": shape, **({"width": max(a["width"], b["width"])} if "width" in a else {})}
    return {"kind": "any"}


def unite_records(a: Descriptor, b: Descriptor) -> Descriptor:
    names = [*a["fields"], *(name for name in b["fields"] if name not in a["fields"])]
    fields, optional = {}, {*a.get("optional", ()), *b.get("optional", ())}
    for name in names:
        both = [d["fields"][name] for d in (a, b) if name in d["fields"]]
        fields[name] = unite_all(both)
        if len(both) == 1:
            optional.add(name)
    return {"kind": "record", "fields": fields, **({"optional": sorted(optional)} if optional else {})}


def conforms(value: Any, descriptor: Descriptor) -> str:
    """Why `value` is not what `descriptor` promises: kind, dtype, width, columns; "" when it is."""
    kind = descriptor["kind"]
    if kind in FREE_KINDS:
        return ""
    if kind == "optional":
        return "" if value is None else conforms(value, descriptor["of"])
    if kind == "union":
        reasons = [conforms(value, inner) for inner in descriptor["of"]]
        return "" if "" in reasons else f"it is a {class_name(value)}: {reasons[0]}"
    if kind == "choices":
        from .encoding import encode

        try:
            encode(value, descriptor)
        except CodecError as error:
            return str(error)
        return conforms(value, descriptor["of"])
    if kind in ("record", "mapping", "list", "tuple", "set"):
        return conforms_container(value, descriptor)
    try:
        found = describe(value)
    except CodecError as error:
        return str(error)
    if kind == "any":
        return ""
    if kind == "float" and descriptor.get("whole") and found["kind"] == "int":
        return ""
    if found["kind"] != kind:
        return f"it is of kind {found['kind']}, {kind} is promised"
    if kind == "model":
        same = found["type"] == descriptor["type"]
        return "" if same else f"it is a {found['type']}, a {descriptor['type']} is promised"
    for key in ("zone", "name"):
        if kind not in ("array", "frame", "series") and found.get(key) != descriptor.get(key):
            return f"it has {key} {found.get(key)}, {descriptor.get(key)} is promised"
    if found.get(LIBRARY) != descriptor.get(LIBRARY):
        return f"it is a {class_name(value)}, an array of {descriptor.get(LIBRARY, 'numpy')} is promised"
    return conforms_table(found, descriptor)


def conforms_container(value: Any, descriptor: Descriptor) -> str:
    kind = descriptor["kind"]
    classes: dict[str, Any] = {"list": list, "tuple": tuple, "record": dict, "mapping": dict, "set": set}
    cls = classes[kind]
    if kind == "set" and descriptor.get("frozen"):
        cls = frozenset
    if not isinstance(value, cls) or hasattr(value, "_fields"):
        return f"it is a {class_name(value)}, a {cls.__name__} is promised"
    if kind == "record":
        fields, optional = descriptor["fields"], descriptor.get("optional", ())
        missing = [name for name in fields if name not in value and name not in optional]
        extra = [name for name in value if name not in fields]
        if missing:
            return f"it lacks the fields {missing}"
        if extra:
            return f"it has the fields {extra}, which are not promised"
        parts = [(f"field {name!r}", item, fields[name]) for name, item in value.items()]
    elif kind == "mapping":
        keys = descriptor.get("keys", {"kind": "str"})
        parts = [(f"field {key!r}", item, descriptor["values"]) for key, item in value.items()]
        parts += [(f"key {key!r}", key, keys) for key in value]
    elif isinstance(descriptor["items"], list):
        if len(value) != len(descriptor["items"]):
            return f"it has {len(value)} items, {len(descriptor['items'])} are promised"
        parts = [(f"item {i}", item, descriptor["items"][i]) for i, item in enumerate(value)]
    else:
        parts = [(f"item {i}", item, descriptor["items"]) for i, item in enumerate(value)]
    for place, item, wanted in parts:
        reason = conforms(item, wanted)
        if reason:
            return f"{place}: {reason}"
    return ""


def conforms_table(found: Descriptor, descriptor: Descriptor) -> str:
    have, want = found.get("shape", []), descriptor.get("shape") or []
    if len(have) != len(want) or any(w not in (-1, h) for h, w in zip(have[1:], want[1:], strict=True)):
        return f"its shape is {have}, {want} is promised"
    if found["kind"] == "frame":
        names, promised = ([column["name"] for column in d["columns"]] for d in (found, descriptor))
        if names != promised:
            return f"its columns are {names}, {promised} are promised"
        pairs = list(zip(found["columns"], descriptor["columns"], strict=True))
    else:
        pairs = [(found, descriptor)] if "dtype" in found else []
    for have, want in pairs:
        if have["dtype"] != want["dtype"]:
            where = f"column {want['name']!r} has" if found["kind"] == "frame" else "it has"
            return f"{where} dtype {have['dtype']}, {want['dtype']} is promised"
    return ""
