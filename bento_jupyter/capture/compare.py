"""Are two answers the same: values, types, dtypes, shapes, columns, order, labels."""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any

__all__ = ["TOLERANCE", "Difference", "compare"]

#: Relative difference up to which floating-point numbers count as equal; all else has to be equal exactly.
TOLERANCE = 1e-9
#: The same for types that have fewer digits: some units in the last place.
TOLERANCES = {"float32": 1e-6, "complex64": 1e-6, "float16": 2e-3}
#: Units in the last place of the largest number of an array or column that the others may be off, too: what
#: is left of large numbers that cancel each other out has no more digits. An array that was saved and loaded
#: may lie otherwise in memory, and then sums are taken in another order.
NOISE = 8
#: Longest text of a value in a detail.
SHOWN = 80

Place = tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """How two answers differ.

    Attributes:
        equal: True when they count as the same.
        max_difference: Largest absolute difference of numbers; inf when they cannot be compared.
        detail: The first place where they differ (field, row, column) and what is there; "" when equal.
    """

    equal: bool
    max_difference: float = 0.0
    detail: str = ""


SAME = Difference(True)


def compare(expected: Any, served: Any) -> Difference:
    """Compare two answers.

    Missing values equal their own kind only: NaN is not None, NaT is not NA. A tuple may come back as a list
    and an instance of a class (pydantic model, dataclass, enum) as what JSON makes of it: that is what an
    endpoint promises that has no descriptor for it. Numbers of Python and of numpy are the same when they
    have the same dtype.

    Args:
        expected: What the object in the notebook answered: an array, frame, series, index, scalar, text,
            bytes, image, time, instance of a class, and lists and dicts of all these.
        served: What is to be the same.

    Example:
        >>> import numpy as np
        >>> compare(np.array([1.0, 2.0]), np.array([1.0, 2.5])).detail
        'row 1: 2.0 expected, 2.5 served'
        >>> compare({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}).detail
        'at a[1].b: 2 expected, 3 served'
    """
    return _compared(expected, served, ())


def _compared(expected: Any, served: Any, place: Place) -> Difference:
    if expected is served:
        return SAME
    expected, served = _alike(expected, served)
    kinds = _kind(expected), _kind(served)
    if kinds[0] != kinds[1]:
        return _differs(place, _named(kinds[0], expected), _named(kinds[1], served))
    return COMPARISONS.get(kinds[0], _plain)(expected, served, place)


# ---------------------------------------------------------------------------- which comparison


def _kind(value: Any) -> str:
    """Which comparison a value takes; the name of its class where there is no special one."""
    numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
    if pandas is not None:
        for name in ("DataFrame", "Series", "Index"):
            if isinstance(value, getattr(pandas, name)):
                return name
        if isinstance(value, pandas.api.extensions.ExtensionArray):
            return "column"
        if value is pandas.NaT or isinstance(value, (pandas.Timestamp, pandas.Timedelta)):
            return "moment"
    if numpy is not None:
        if isinstance(value, numpy.ndarray):
            return "array"
        if isinstance(value, numpy.generic) and not isinstance(value, numpy.void):
            return "scalar"
    if type(value) in (bool, int, float, complex, str, bytes):
        return "scalar"
    if isinstance(value, dict):
        return "dict"
    if isinstance(value, (list, tuple)):
        return "list"
    if isinstance(value, (set, frozenset)):
        return "set"
    if isinstance(value, (datetime, time)):
        return "time"
    if _is_of(value, "PIL.Image", "Image"):
        return "image"
    if hasattr(value, "tocsr") and hasattr(value, "nnz"):
        return "sparse matrix"
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _alike(expected: Any, served: Any) -> tuple[Any, Any]:
    """Both in forms that can be compared: instances of classes as their fields, tensors as arrays."""
    if type(expected) is type(served) and not (_is_model(expected) or _is_record(expected)):
        return (_array_of(expected), _array_of(served)) if _is_tensor(expected) else (expected, served)
    expected, served = (_array_of(value) if _is_tensor(value) else value for value in (expected, served))
    if _is_model(expected) and _is_model(served):
        # Field by field, with the types that the fields have.
        return _fields(expected), _fields(served)
    if _is_model(expected):
        return expected.model_dump(mode="json"), served
    if _is_record(expected):
        return _fields(expected), _fields(served) if _is_record(served) else served
    if isinstance(expected, Enum) and not isinstance(served, Enum):
        return expected.value, served
    if isinstance(expected, tuple) and hasattr(expected, "_asdict") and isinstance(served, dict):
        return expected._asdict(), served
    if isinstance(expected, (set, frozenset)) and isinstance(served, list):
        return expected, set(served) if len(served) == len(expected) and _hashable(served) else served
    if type(served) is str and (_kind(expected) == "time" or type(expected).__name__ in UNKNOWN_TO_JSON):
        return _text_of(expected, served), served
    return expected, served


#: Classes whose instances are text in JSON, when no descriptor says more.
UNKNOWN_TO_JSON = ("UUID", "Decimal", "date", "PosixPath", "WindowsPath")


def _text_of(value: Any, served: str) -> Any:
    """A value as JSON's text for it; the value itself when that is another."""
    iso = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return served if served in (iso, iso.replace("+00:00", "Z")) else value


def _is_tensor(value: Any) -> bool:
    return _is_of(value, "torch", "Tensor")


def _array_of(tensor: Any) -> Any:
    return tensor.detach().cpu().numpy() if _is_tensor(tensor) else tensor


def _is_model(value: Any) -> bool:
    return _is_of(value, "pydantic", "BaseModel")


def _is_record(value: Any) -> bool:
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def _is_of(value: Any, module: str, name: str) -> bool:
    """Is it an instance of a class of a library? One that is not imported has none."""
    kind = getattr(sys.modules.get(module), name, None)
    return kind is not None and isinstance(value, kind)


def _fields(value: Any) -> dict[str, Any]:
    """The fields of an instance, with its class where both sides have one."""
    if _is_model(value):
        return {name: getattr(value, name) for name in type(value).model_fields} | dict(
            value.model_extra or {}
        )
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def _hashable(values: Iterable[Any]) -> bool:
    try:
        hash(tuple(values))
    except TypeError:
        return False
    return True


# ----------------------------------------------------------------------------- what is compared


def _frames(expected: Any, served: Any, place: Place) -> Difference:
    columns = _indexes(expected.columns, served.columns, place, what="columns")
    if not columns.equal:
        return columns
    if len(expected) != len(served):
        return _differs(place, f"{len(expected)} rows", len(served))
    found = [_indexes(expected.index, served.index, place)]
    found += [
        _columns(expected.iloc[:, i], served.iloc[:, i], place, f"column {name!r}")
        for i, name in enumerate(expected.columns)
    ]
    return _first(found)


def _series(expected: Any, served: Any, place: Place) -> Difference:
    if not _plain(expected.name, served.name, ()).equal:
        return _differs(place, repr(expected.name), repr(served.name), what="name")
    if len(expected) != len(served):
        return _differs(place, f"{len(expected)} rows", len(served))
    return _first([_indexes(expected.index, served.index, place), _columns(expected, served, place)])


def _indexes(expected: Any, served: Any, place: Place, *, what: str = "index") -> Difference:
    """The labels of rows or columns. A range counts as the numbers it stands for, as in pandas."""
    if list(expected.names) != list(served.names):
        return _differs((*place, what), list(expected.names), list(served.names), what="names")
    if what == "columns" and list(expected) != list(served):
        return _differs(place, _listed(expected), _listed(served), what="columns")
    if len(expected) != len(served):
        return _differs((*place, what), f"{len(expected)} labels", len(served))
    if expected.nlevels > 1:
        levels = [
            _columns(
                expected.get_level_values(i), served.get_level_values(i), (*place, f"level {i} of the {what}")
            )
            for i in range(expected.nlevels)
        ]
        return _first(levels)
    return _columns(expected, served, (*place, what))


def _columns(expected: Any, served: Any, place: Place, column: str = "") -> Difference:
    """Two series, indexes or pandas arrays, without their labels."""
    import numpy as np
    import pandas as pd

    names = (column,) if column else ()
    if str(expected.dtype) != str(served.dtype):
        return _differs((*place, *names), expected.dtype, served.dtype, what="dtype")
    if isinstance(expected.dtype, pd.CategoricalDtype):
        (mine, ordered), (other, other_ordered) = (
            (d.dtype.categories, d.dtype.ordered) for d in (expected, served)
        )
        categories = _columns(mine, other, ()) if len(mine) == len(other) else Difference(False, math.inf)
        if not categories.equal:
            return _differs((*place, *names), _listed(mine), _listed(other), what="categories")
        if ordered != other_ordered:
            return _differs((*place, *names), ordered, other_ordered, what="order of categories")
    if isinstance(expected.dtype, np.dtype) and expected.dtype.kind in "biufcmM":
        return _arrays(np.asarray(expected), np.asarray(served), place, column)
    return _arrays(_objects(expected), _objects(served), place, column)


def _objects(values: Any) -> Any:
    """The values of a series, index or pandas array, each as pandas gives it out."""
    import numpy as np

    array = np.empty(len(values), dtype=object)
    array[:] = list(values)
    return array


def _arrays(expected: Any, served: Any, place: Place, column: str = "") -> Difference:
    import numpy as np

    names = (column,) if column else ()
    dtypes = _dtype_name(expected.dtype), _dtype_name(served.dtype)
    if dtypes[0] != dtypes[1]:
        return _differs((*place, *names), *dtypes, what="dtype")
    if expected.shape != served.shape:
        return _differs((*place, *names), expected.shape, served.shape, what="shape")
    if hasattr(expected, "mask") and not np.array_equal(
        np.ma.getmaskarray(expected), np.ma.getmaskarray(served)
    ):
        return _differs((*place, *names), expected.mask.tolist(), np.ma.getmask(served).tolist(), what="mask")
    if expected.dtype.names:
        fields = [
            _arrays(expected[name], served[name], place, f"field {name!r}") for name in expected.dtype.names
        ]
        return _first(fields)
    wrong, largest = _wrong(expected, served)
    if not wrong.any():
        return Difference(True, largest)
    first = tuple(int(i) for i in np.argwhere(wrong)[0])
    names = (*([f"row {first[0]}"] if first else []), *(f"column {i}" for i in first[1:]), *names)
    a, b = expected[first], served[first]
    if expected.dtype.kind == "O":
        inner = _compared(a, b, (*place, *names))
        return Difference(False, max(largest, inner.max_difference), inner.detail)
    return _differs((*place, *names), _shown(a), _shown(b), apart=largest)


def _wrong(expected: Any, served: Any) -> tuple[Any, float]:
    """Where two arrays of one dtype and shape differ, and the largest difference of their numbers."""
    import numpy as np

    kind = expected.dtype.kind
    if kind in "fc":
        with np.errstate(invalid="ignore", over="ignore"):
            same = (expected == served) | (np.isnan(expected) & np.isnan(served))
            apart = np.where(same, 0.0, np.abs(expected - served))
            sizes = np.where(np.isfinite(expected), np.abs(expected), 0.0).astype(np.float64)
            noise = NOISE * float(np.finfo(expected.dtype).eps) * float(sizes.max(initial=0.0))
            wrong = ~same & ~(apart <= TOLERANCES.get(expected.dtype.name, TOLERANCE) * sizes + noise)
        return wrong, float(np.nan_to_num(apart, nan=math.inf, posinf=math.inf).max(initial=0.0))
    if kind in "mM":
        wrong = expected.view("int64") != served.view("int64")
        return wrong, math.inf if wrong.any() else 0.0
    if kind == "O":
        found = [_compared(a, b, ()) for a, b in zip(expected.ravel(), served.ravel(), strict=True)]
        wrong = np.array([not each.equal for each in found], dtype=bool).reshape(expected.shape)
        return wrong, max((each.max_difference for each in found), default=0.0)
    wrong = np.asarray(expected != served)
    if kind in "iu" and wrong.any():
        pairs = zip(expected[wrong].tolist(), served[wrong].tolist(), strict=True)
        return wrong, float(max(abs(a - b) for a, b in pairs))
    return wrong, math.inf if wrong.any() else 0.0


def _dtype_name(dtype: Any) -> str:
    """A dtype as it counts: the width of texts follows from the texts, byte order is the machine's."""
    named = {"U": "str", "S": "bytes", "T": "StringDType"}
    return named.get(dtype.kind) or str(dtype.newbyteorder("="))


def _scalars(expected: Any, served: Any, place: Place) -> Difference:
    import numpy as np

    dtypes = _scalar_dtype(expected), _scalar_dtype(served)
    if dtypes[0] != dtypes[1]:
        return _differs(place, f"{_shown(expected)} ({dtypes[0]})", f"{_shown(served)} ({dtypes[1]})")
    if dtypes[0] in ("str", "bytes", "int"):
        largest = float(abs(expected - served)) if dtypes[0] == "int" else math.inf
        same = bool(expected == served)
    else:
        wrong, largest = _wrong(np.asarray(expected), np.asarray(served))
        same = not wrong.any()
    if same:
        return Difference(True, largest if math.isfinite(largest) else 0.0)
    return _differs(place, _shown(expected), _shown(served), apart=largest)


def _scalar_dtype(value: Any) -> str:
    """The dtype of a number or text; Python's int without limits is one of its own."""
    if isinstance(value, int) and not isinstance(value, bool):
        return "int64" if -(2**63) <= value < 2**63 else "int"
    names = {bool: "bool", float: "float64", complex: "complex128", str: "str", bytes: "bytes"}
    return names.get(type(value)) or _dtype_name(value.dtype)


def _dicts(expected: Any, served: Any, place: Place) -> Difference:
    for keys, other, sides in (
        (expected, served, "expected, not there"),
        (served, expected, "served, not expected"),
    ):
        found = [key for key in keys if key not in other]
        if found:
            return Difference(False, math.inf, _placed(place, f"field {found[0]!r} {sides}"))
    return _first([_compared(value, served[key], _below(place, key)) for key, value in expected.items()])


def _lists(expected: Any, served: Any, place: Place) -> Difference:
    if isinstance(served, tuple) and not isinstance(expected, tuple):
        return _differs(place, "list", "tuple")
    found = [
        _compared(a, b, _below(place, i)) for i, (a, b) in enumerate(zip(expected, served, strict=False))
    ]
    if len(expected) != len(served):
        found.insert(0, _differs(place, f"{len(expected)} items", len(served)))
    return _first(found)


def _sets(expected: Any, served: Any, place: Place) -> Difference:
    if expected == served:
        return SAME
    lacking, extra = (_shown(sorted(a - b, key=repr)) for a, b in ((expected, served), (served, expected)))
    return _differs(place, lacking, extra, what="besides what both have,")


def _times(expected: Any, served: Any, place: Place) -> Difference:
    """Times of Python: the same moment with the same offset; zones by name where both have one."""
    zones = [getattr(value.tzinfo, "key", None) for value in (expected, served)]
    same = expected.replace(tzinfo=None) == served.replace(tzinfo=None)
    same &= expected.utcoffset() == served.utcoffset() and (None in zones or zones[0] == zones[1])
    return SAME if same else _differs(place, _shown(expected), _shown(served))


def _moments(expected: Any, served: Any, place: Place) -> Difference:
    """Timestamps and Timedeltas of pandas, with unit and zone."""
    same = type(expected) is type(served) and expected == served
    same = same and getattr(expected, "unit", "") == getattr(served, "unit", "")
    same = same and str(getattr(expected, "tz", "")) == str(getattr(served, "tz", ""))
    return SAME if same else _differs(place, _shown(expected), _shown(served))


def _images(expected: Any, served: Any, place: Place) -> Difference:
    import numpy as np

    for what in ("mode", "size"):
        if getattr(expected, what) != getattr(served, what):
            return _differs(place, getattr(expected, what), getattr(served, what), what=what)
    if expected.mode == "P" and expected.getpalette() != served.getpalette():
        return _differs(place, "its palette", "another")
    return _arrays(np.asarray(expected), np.asarray(served), (*place, "pixel"))


def _sparse(expected: Any, served: Any, place: Place) -> Difference:
    for what in ("format", "shape", "dtype"):
        if getattr(expected, what) != getattr(served, what):
            return _differs(place, getattr(expected, what), getattr(served, what), what=what)
    mine, other = expected.tocsr(copy=True), served.tocsr(copy=True)
    mine.sum_duplicates()
    other.sum_duplicates()
    parts = ("indptr", "indices", "data")
    return _first([_arrays(getattr(mine, part), getattr(other, part), (*place, part)) for part in parts])


def _plain(expected: Any, served: Any, place: Place) -> Difference:
    """Anything else: of one class, and equal by its own measure."""
    if (
        isinstance(expected, float)
        and isinstance(served, float)
        and math.isnan(expected)
        and math.isnan(served)
    ):
        return SAME
    if type(expected) is type(served):
        if isinstance(expected, Decimal):
            same = expected.as_tuple() == served.as_tuple()
        elif hasattr(expected, "equals"):  # frames of polars, arrow tables
            same = bool(expected.equals(served)) and getattr(expected, "schema", 0) == getattr(
                served, "schema", 0
            )
        else:
            try:
                same = bool(expected == served)
            except (TypeError, ValueError) as error:
                return Difference(False, math.inf, _placed(place, f"cannot be compared: {error}"))
        if same:
            return SAME
    return _differs(place, _shown(expected), _shown(served))


COMPARISONS: dict[str, Callable[[Any, Any, Place], Difference]] = {
    "DataFrame": _frames,
    "Series": _series,
    "Index": _indexes,
    "column": _columns,
    "array": _arrays,
    "scalar": _scalars,
    "dict": _dicts,
    "list": _lists,
    "set": _sets,
    "time": _times,
    "moment": _moments,
    "image": _images,
    "sparse matrix": _sparse,
}


# ----------------------------------------------------------------------------------- in words


def _first(found: Iterable[Difference]) -> Difference:
    """Several comparisons as one: the first difference is told, the largest number kept."""
    differences = list(found)
    largest = max((each.max_difference for each in differences), default=0.0)
    for each in differences:
        if not each.equal:
            return Difference(False, largest, each.detail)
    return Difference(True, largest)


def _differs(
    place: Place, expected: object, served: object, *, what: str = "", apart: float = math.inf
) -> Difference:
    words = f"{expected} expected, {served} served"
    return Difference(False, apart, _placed(place, f"{what} {words}" if what else words))


def _placed(place: Place, words: str) -> str:
    return f"{', '.join(place)}: {words}" if place else words


def _below(place: Place, key: Any) -> Place:
    """The place of an item: `at a[2].b`, after where its container is."""
    word = f".{key}" if isinstance(key, str) and key.isidentifier() else f"[{key!r}]"
    if place and place[-1].startswith("at "):
        return (*place[:-1], place[-1] + word)
    return (*place, f"at {word.removeprefix('.')}")


def _named(kind: str, value: Any) -> str:
    """What stands there instead of a value of another kind."""
    kinds = ("DataFrame", "Series", "Index", "array", "dict", "list", "set", "image", "sparse matrix")
    if kind not in kinds:
        return _shown(value)
    return type(value).__name__ if kind in ("list", "set", "dict") else kind


def _listed(values: Any) -> str:
    return _shortened(repr(list(values)), 4 * SHOWN)


def _shown(value: Any) -> str:
    plain = (
        value.item()
        if hasattr(value, "item") and hasattr(value, "dtype") and value.dtype.kind not in "mM"
        else value
    )
    return _shortened(repr(plain), SHOWN)


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 4]} ..."
