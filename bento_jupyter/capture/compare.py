"""Are two answers the same: values, dtype, shape, columns, labels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from bento_jupyter.codec import CodecError, describe

__all__ = ["TOLERANCE", "Difference", "compare"]

#: Relative difference up to which floating-point answers count as equal; others have to be equal exactly.
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Difference:
    """How two answers differ.

    Attributes:
        equal: True when they count as the same.
        max_difference: Largest absolute difference of numbers; inf when they cannot be compared.
        detail: The first place where they differ and what is there; "" when equal.
    """

    equal: bool
    max_difference: float = 0.0
    detail: str = ""


def compare(expected: Any, served: Any) -> Difference:
    """Compare two answers.

    Args:
        expected: An array, frame, series or scalar.
        served: What is to be the same.

    Example:
        >>> import numpy as np
        >>> compare(np.array([1.0, 2.0]), np.array([1.0, 2.5])).detail
        'row 1: 2.0 expected, 2.5 served'
    """
    try:
        wanted, found = describe(expected), describe(served)
    except CodecError as error:
        return Difference(False, math.inf, str(error))
    if wanted["kind"] != found["kind"]:
        return Difference(False, math.inf, f"{wanted['kind']} expected, {found['kind']} served")
    if wanted["kind"] == "frame":
        return _frames(expected, served)
    if wanted["dtype"] != found["dtype"]:
        return Difference(False, math.inf, f"dtype {wanted['dtype']} expected, {found['dtype']} served")
    import numpy as np

    if wanted["kind"] == "series":
        if expected.name != served.name:
            return Difference(False, math.inf, f"name {expected.name!r} expected, {served.name!r} served")
        return _columns(expected, served, "")
    return _arrays(np.asarray(expected), np.asarray(served), "")


def _frames(expected: Any, served: Any) -> Difference:
    if list(expected.columns) != list(served.columns):
        columns = f"columns {list(expected.columns)} expected, {list(served.columns)} served"
        return Difference(False, math.inf, columns)
    differences = [
        _columns(expected.iloc[:, i], served.iloc[:, i], f", column {name!r}")
        for i, name in enumerate(expected.columns)
    ]
    largest = max((difference.max_difference for difference in differences), default=0.0)
    for difference in differences:
        if not difference.equal:
            return Difference(False, largest, difference.detail)
    return Difference(True, largest)


def _columns(expected: Any, served: Any, where: str) -> Difference:
    import numpy as np
    import pandas as pd

    if str(expected.dtype) != str(served.dtype):
        detail = f"dtype {expected.dtype} expected, {served.dtype} served{where}"
        return Difference(False, math.inf, detail)
    if isinstance(expected.dtype, pd.CategoricalDtype):
        wanted, found = list(expected.cat.categories), list(served.cat.categories)
        if wanted != found:
            return Difference(False, math.inf, f"categories {wanted} expected, {found} served{where}")
    if isinstance(expected.dtype, np.dtype) and expected.dtype.kind in "biuf":
        return _arrays(expected.to_numpy(), served.to_numpy(), where)
    return _arrays(_objects(expected), _objects(served), where)


def _objects(series: Any) -> Any:
    """The values of a series, each as pandas gives it out."""
    import numpy as np

    values = np.empty(len(series), dtype=object)
    values[:] = list(series)
    return values


def _arrays(expected: Any, served: Any, where: str) -> Difference:
    import numpy as np

    if expected.shape != served.shape:
        return Difference(False, math.inf, f"shape {expected.shape} expected, {served.shape} served{where}")
    if expected.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            apart = np.abs(expected - served)
        same = (expected == served) | (np.isnan(expected) & np.isnan(served))
        apart = np.where(same, 0.0, apart)
        largest = float(np.nan_to_num(apart, nan=math.inf).max(initial=0.0))
        wrong = ~(same | np.isclose(expected, served, rtol=TOLERANCE, atol=0.0, equal_nan=True))
    else:
        wrong = np.array(
            [not _same(a, b) for a, b in zip(expected.ravel(), served.ravel(), strict=True)], dtype=bool
        ).reshape(expected.shape)
        largest = 0.0
        if wrong.any() and expected.dtype.kind in "iu":
            pairs = zip(expected.ravel().tolist(), served.ravel().tolist(), strict=True)
            largest = float(max(abs(a - b) for a, b in pairs))
        elif wrong.any():
            largest = math.inf
    if not wrong.any():
        return Difference(True, largest)
    first = tuple(int(i) for i in np.argwhere(wrong)[0])
    names = [f"row {first[0]}"] if first else ["the value"]
    names += [f"column {i}" for i in first[1:]]
    place = ", ".join(names) + where
    return Difference(
        False, largest, f"{place}: {_shown(expected[first])} expected, {_shown(served[first])} served"
    )


def _same(a: Any, b: Any) -> bool:
    """Equal, of one type; missing values equal their own kind."""
    if type(a) is not type(b):
        return False
    if a is b:
        return True
    if isinstance(a, float) and math.isnan(a):
        return math.isnan(b)
    return bool(a == b)


def _shown(value: Any) -> str:
    return repr(value.item() if hasattr(value, "item") else value)
