"""The sample: what an estimator is shown to take, in the form that it will have when it is served."""

from __future__ import annotations

import json
import sys
from typing import Any

from bento_jupyter.codec import CodecError, Descriptor, decode, describe, encode
from bento_jupyter.errors import SampleError

from .compare import compare

__all__ = ["SAMPLE_ROWS", "as_sample", "describe_sample", "width_problem"]

#: Rows that go into the Bento as its proof.
SAMPLE_ROWS = 100
HINT = "give some rows like those that will come: --sample X_test[:5]"


def as_sample(sample: Any) -> Any:
    """The first rows of a sample, as an array or a DataFrame numbered from 0; a copy.

    Args:
        sample: A numpy array, DataFrame, Series or list.

    Raises:
        SampleError: It is missing, empty or of an unknown type.
    """
    import numpy as np

    if sample is None:
        raise SampleError("a sample is missing", hint=HINT)
    pandas = sys.modules.get("pandas")  # a frame cannot come without it
    if pandas is not None and isinstance(sample, pandas.DataFrame):
        rows = sample.iloc[:SAMPLE_ROWS].reset_index(drop=True).copy()
    elif pandas is not None and isinstance(sample, pandas.Series):
        rows = sample.iloc[:SAMPLE_ROWS].to_numpy().copy()
    elif isinstance(sample, list):
        rows = _array_of(sample[:SAMPLE_ROWS])
    elif isinstance(sample, np.ndarray):
        rows = np.array(sample[:SAMPLE_ROWS]) if sample.ndim else sample
    else:
        name = f"{type(sample).__module__}.{type(sample).__qualname__}".removeprefix("builtins.")
        raise SampleError(f"the sample is a {name}", hint="give a numpy array or a pandas DataFrame")
    if np.ndim(rows) == 0 or len(rows) == 0:
        raise SampleError("the sample has no rows", hint=HINT)
    return rows


def describe_sample(rows: Any) -> Descriptor:
    """The descriptor of a sample, having made sure that it comes back from JSON as it was.

    Raises:
        SampleError: It would not.
    """
    try:
        descriptor = describe(rows)
        back = decode(json.loads(json.dumps(encode(rows, descriptor), allow_nan=False)), descriptor)
    except CodecError as error:
        raise SampleError(
            f"the sample cannot be sent as JSON: {error}", hint="convert it before fitting and predicting"
        ) from error
    difference = compare(rows, back)
    if not difference.equal or difference.max_difference:
        raise SampleError(f"the sample does not come back from JSON as it was: {difference.detail}")
    return descriptor


def _array_of(sample: list[Any]) -> Any:
    import numpy as np

    if any(isinstance(row, dict) for row in sample):
        raise SampleError(
            "the sample is a list of records", hint="make a DataFrame of it: pd.DataFrame(sample)"
        )
    try:
        array = np.array(sample)
    except ValueError as error:
        raise SampleError("the rows of the sample differ in length", hint=HINT) from error
    mixed = array.dtype.kind == "U" and not all(isinstance(value, str) for value in _flat(sample))
    return np.array(sample, dtype=object) if mixed else array


def _flat(values: Any) -> Any:
    for value in values:
        if isinstance(value, (list, tuple)):
            yield from _flat(value)
        else:
            yield value


def width_problem(rows: Any, estimator: Any) -> tuple[str, str]:
    """What is wrong with the columns of a sample that an estimator did not take, and a hint; "" if none.

    Only asked after it raised: a ColumnTransformer does without columns that it was fitted on.
    """
    kind = type(estimator).__name__
    wanted = _fitted(estimator, "feature_names_in_")
    columns = getattr(rows, "columns", None)
    if columns is not None and wanted is not None:
        found, names = [str(column) for column in columns], [str(name) for name in wanted]
        missing = [name for name in names if name not in found]
        extra = [name for name in found if name not in names]
        parts = [f"lacks {_listed(missing)}"] if missing else []
        parts += [f"has {_listed(extra)}, which the {kind} does not know"] if extra else []
        if not parts and found != names:
            parts = ["has its columns in another order"]
        problem = f"the sample {' and '.join(parts)}" if parts else ""
        return problem, f"the {kind} was fitted on {_listed(names)}"
    width = _fitted(estimator, "n_features_in_")
    if width is None or (columns is None and rows.ndim < 2) or rows.shape[1] == width:
        return "", ""
    return f"the sample has {rows.shape[1]} columns, the {kind} was fitted on {width}", HINT


def _fitted(estimator: Any, name: str) -> Any:
    """An attribute that fitting sets; a Pipeline passes the question on and may not know."""
    try:
        return getattr(estimator, name, None)
    except Exception:  # properties of estimators may raise anything; then it is not known
        return None


def _listed(names: list[str], limit: int = 8) -> str:
    shown = ", ".join(repr(name) for name in names[:limit])
    return f"{shown} and {len(names) - limit} more" if len(names) > limit else shown
