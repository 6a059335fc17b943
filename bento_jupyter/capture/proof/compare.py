"""Are two answers the same: values, types, dtypes, shapes, columns, order, labels."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from .differences import SAME, Difference, Place, below, differs, first_of, listed, named, placed, shown
from .kinds import alike, kind_of

__all__ = ["TOLERANCE", "Difference", "compare"]

#: Relative difference up to which floating-point numbers count as equal; all else has to be equal exactly.
TOLERANCE = 1e-9
#: The same for types that have fewer digits: some units in the last place.
TOLERANCES = {"float32": 1e-6, "complex64": 1e-6, "float16": 2e-3}
#: Units in the last place of the largest number of an array or column that the others may be off, too: what
#: is left of large numbers that cancel each other out has no more digits. An array that was saved and loaded
#: may lie otherwise in memory, and then sums are taken in another order.
NOISE = 8


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
    expected, served = alike(expected, served)
    kinds = kind_of(expected), kind_of(served)
    if kinds[0] != kinds[1]:
        return differs(place, named(kinds[0], expected), named(kinds[1], served))
    return COMPARISONS.get(kinds[0], _plain)(expected, served, place)


# ---------------------------------------------------------------------------- which comparison


def _frames(expected: Any, served: Any, place: Place) -> Difference:
    columns = _indexes(expected.columns, served.columns, place, what="columns")
    if not columns.equal:
        return columns
    if len(expected) != len(served):
        return differs(place, f"{len(expected)} rows", len(served))
    found = [_indexes(expected.index, served.index, place)]
    found += [
        _columns(expected.iloc[:, i], served.iloc[:, i], place, f"column {name!r}")
        for i, name in enumerate(expected.columns)
    ]
    return first_of(found)


def _series(expected: Any, served: Any, place: Place) -> Difference:
    if not _plain(expected.name, served.name, ()).equal:
        return differs(place, repr(expected.name), repr(served.name), what="name")
    if len(expected) != len(served):
        return differs(place, f"{len(expected)} rows", len(served))
    return first_of([_indexes(expected.index, served.index, place), _columns(expected, served, place)])


def _indexes(expected: Any, served: Any, place: Place, *, what: str = "index") -> Difference:
    """The labels of rows or columns. A range counts as the numbers it stands for, as in pandas."""
    if list(expected.names) != list(served.names):
        return differs((*place, what), list(expected.names), list(served.names), what="names")
    if what == "columns" and list(expected) != list(served):
        return differs(place, listed(expected), listed(served), what="columns")
    if len(expected) != len(served):
        return differs((*place, what), f"{len(expected)} labels", len(served))
    if expected.nlevels > 1:
        levels = [
            _columns(
                expected.get_level_values(i), served.get_level_values(i), (*place, f"level {i} of the {what}")
            )
            for i in range(expected.nlevels)
        ]
        return first_of(levels)
    return _columns(expected, served, (*place, what))


def _columns(expected: Any, served: Any, place: Place, column: str = "") -> Difference:
    """Two series, indexes or pandas arrays, without their labels."""
    import numpy as np
    import pandas as pd

    names = (column,) if column else ()
    if str(expected.dtype) != str(served.dtype):
        return differs((*place, *names), expected.dtype, served.dtype, what="dtype")
    if isinstance(expected.dtype, pd.CategoricalDtype):
        (mine, ordered), (other, other_ordered) = (
            (d.dtype.categories, d.dtype.ordered) for d in (expected, served)
        )
        categories = _columns(mine, other, ()) if len(mine) == len(other) else Difference(False, math.inf)
        if not categories.equal:
            return differs((*place, *names), listed(mine), listed(other), what="categories")
        if ordered != other_ordered:
            return differs((*place, *names), ordered, other_ordered, what="order of categories")
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
        return differs((*place, *names), *dtypes, what="dtype")
    if expected.shape != served.shape:
        return differs((*place, *names), expected.shape, served.shape, what="shape")
    if hasattr(expected, "mask") and not np.array_equal(
        np.ma.getmaskarray(expected), np.ma.getmaskarray(served)
    ):
        return differs((*place, *names), expected.mask.tolist(), np.ma.getmask(served).tolist(), what="mask")
    if expected.dtype.names:
        fields = [
            _arrays(expected[name], served[name], place, f"field {name!r}") for name in expected.dtype.names
        ]
        return first_of(fields)
    wrong, largest = _wrong(expected, served)
    if not wrong.any():
        return Difference(True, largest)
    first = tuple(int(i) for i in np.argwhere(wrong)[0])
    names = (*([f"row {first[0]}"] if first else []), *(f"column {i}" for i in first[1:]), *names)
    a, b = expected[first], served[first]
    if expected.dtype.kind == "O":
        inner = _compared(a, b, (*place, *names))
        return Difference(False, max(largest, inner.max_difference), inner.detail)
    return differs((*place, *names), shown(a), shown(b), apart=largest)


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
        return differs(place, f"{shown(expected)} ({dtypes[0]})", f"{shown(served)} ({dtypes[1]})")
    if dtypes[0] in ("str", "bytes", "int"):
        largest = float(abs(expected - served)) if dtypes[0] == "int" else math.inf
        same = bool(expected == served)
    else:
        wrong, largest = _wrong(np.asarray(expected), np.asarray(served))
        same = not wrong.any()
    if same:
        return Difference(True, largest if math.isfinite(largest) else 0.0)
    return differs(place, shown(expected), shown(served), apart=largest)


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
            return Difference(False, math.inf, placed(place, f"field {found[0]!r} {sides}"))
    return first_of([_compared(value, served[key], below(place, key)) for key, value in expected.items()])


def _lists(expected: Any, served: Any, place: Place) -> Difference:
    if isinstance(served, tuple) and not isinstance(expected, tuple):
        return differs(place, "list", "tuple")
    found = [_compared(a, b, below(place, i)) for i, (a, b) in enumerate(zip(expected, served, strict=False))]
    if len(expected) != len(served):
        found.insert(0, differs(place, f"{len(expected)} items", len(served)))
    return first_of(found)


def _sets(expected: Any, served: Any, place: Place) -> Difference:
    if expected == served:
        return SAME
    lacking, extra = (shown(sorted(a - b, key=repr)) for a, b in ((expected, served), (served, expected)))
    return differs(place, lacking, extra, what="besides what both have,")


def _times(expected: Any, served: Any, place: Place) -> Difference:
    """Times of Python: the same moment with the same offset; zones by name where both have one."""
    zones = [getattr(value.tzinfo, "key", None) for value in (expected, served)]
    same = expected.replace(tzinfo=None) == served.replace(tzinfo=None)
    same &= expected.utcoffset() == served.utcoffset() and (None in zones or zones[0] == zones[1])
    return SAME if same else differs(place, shown(expected), shown(served))


def _moments(expected: Any, served: Any, place: Place) -> Difference:
    """Timestamps and Timedeltas of pandas, with unit and zone."""
    same = type(expected) is type(served) and expected == served
    same = same and getattr(expected, "unit", "") == getattr(served, "unit", "")
    same = same and str(getattr(expected, "tz", "")) == str(getattr(served, "tz", ""))
    return SAME if same else differs(place, shown(expected), shown(served))


def _images(expected: Any, served: Any, place: Place) -> Difference:
    import numpy as np

    for what in ("mode", "size"):
        if getattr(expected, what) != getattr(served, what):
            return differs(place, getattr(expected, what), getattr(served, what), what=what)
    if expected.mode == "P" and expected.getpalette() != served.getpalette():
        return differs(place, "its palette", "another")
    return _arrays(np.asarray(expected), np.asarray(served), (*place, "pixel"))


def _sparse(expected: Any, served: Any, place: Place) -> Difference:
    for what in ("format", "shape", "dtype"):
        if getattr(expected, what) != getattr(served, what):
            return differs(place, getattr(expected, what), getattr(served, what), what=what)
    mine, other = expected.tocsr(copy=True), served.tocsr(copy=True)
    mine.sum_duplicates()
    other.sum_duplicates()
    parts = ("indptr", "indices", "data")
    return first_of([_arrays(getattr(mine, part), getattr(other, part), (*place, part)) for part in parts])


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
                return Difference(False, math.inf, placed(place, f"cannot be compared: {error}"))
        if same:
            return SAME
    return differs(place, shown(expected), shown(served))


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
