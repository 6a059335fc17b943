"""The sample: what an estimator is shown to take, in the form that it will have when it is served."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bento_jupyter.codec import CodecError, Descriptor, decode, describe, encode
from bento_jupyter.codec.tensors import is_tensor
from bento_jupyter.errors import SampleError

from ..proof.compare import compare

if TYPE_CHECKING:
    from ..subjects import Question

__all__ = [
    "SAMPLE_ROWS",
    "as_sample",
    "describe_sample",
    "inputs_of",
    "rows_of",
    "width_problem",
    "with_first_row",
]

#: Rows that go into the Bento as its proof.
SAMPLE_ROWS = 100
HINT = "give some rows like those that will come: --sample X_test[:5]"
#: Bytes up to which a sample of a function goes into the Bento.
SAMPLE_BYTES = 16 << 20


def as_sample(sample: Any) -> Any:
    """The first rows of a sample, as an array, a tensor or a DataFrame; a copy.

    Args:
        sample: A numpy array, tensor of PyTorch, DataFrame, Series or list.

    Raises:
        SampleError: It is missing, empty or of an unknown type.
    """
    import numpy as np

    if sample is None:
        raise SampleError("a sample is missing", hint=HINT)
    pandas = sys.modules.get("pandas")  # a frame cannot come without it
    if pandas is not None and isinstance(sample, pandas.DataFrame):
        rows = sample.iloc[:SAMPLE_ROWS].copy()
    elif pandas is not None and isinstance(sample, pandas.Series):
        rows = sample.iloc[:SAMPLE_ROWS].to_numpy().copy()
    elif isinstance(sample, list):
        rows = _array_of(sample[:SAMPLE_ROWS])
    elif isinstance(sample, np.ndarray):
        rows = np.array(sample[:SAMPLE_ROWS]) if sample.ndim else sample
    elif is_tensor(sample):
        rows = sample[:SAMPLE_ROWS].detach().clone() if sample.ndim else sample
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


def inputs_of(question: Question, sample: Any) -> dict[str, Any]:
    """The inputs that a sample gives to the parameters of a function.

    A dict of names of parameters (an empty one asks with all defaults), or a tuple of values for several
    parameters; else the value of the first.

    Raises:
        SampleError: It does not fit the parameters.
    """
    names = [parameter.name for parameter in question.parameters]
    required = [item.name for item in question.parameters if item.default is inspect.Parameter.empty]
    listed = ", ".join(names) or "no parameters"
    if (sample is None and not required) or (not names and sample in ({}, ())):
        return {}
    if sample is None and names:
        raise SampleError(
            f"a sample for {question.name}({listed}) is missing",
            hint=f"e.g. --sample {example(required)}: what it takes and answers is proven with that",
        )
    further = isinstance(sample, dict) and names and set(names) & set(sample) and set(sample) - set(names)
    many = isinstance(sample, tuple) and len(sample) > max(len(names), 1)
    if question.rest and (not names or further or many):
        raise SampleError(
            f"a request has no values for {' and '.join(question.rest)} of {question.name}",
            hint="give each value a parameter with a name of its own",
        )
    if not names:
        raise SampleError(
            f"{question.name} takes nothing, but a sample was given", hint="leave the sample out"
        )
    if isinstance(sample, dict) and set(sample) <= set(names) and set(required) <= set(sample):
        inputs = dict(sample)
    elif isinstance(sample, dict) and len(names) > 1 and (not sample or set(names) & set(sample)):
        unknown = [str(name) for name in sample if name not in names]
        lacking = [name for name in required if name not in sample]
        problem = (
            f"names {', '.join(unknown)}, which it does not take"
            if unknown
            else f"lacks {', '.join(lacking)}"
        )
        raise SampleError(f"the sample of {question.name} {problem}", hint=f"it takes {listed}")
    elif isinstance(sample, tuple) and not hasattr(sample, "_fields") and len(names) > 1:
        if len(sample) > len(names):
            raise SampleError(
                f"the sample has {len(sample)} values, {question.name} takes {len(names)}: {listed}"
            )
        inputs = dict(zip(names, sample, strict=False))
    else:
        inputs = {names[0]: sample}
    missing = [name for name in required if name not in inputs]
    if missing:
        raise SampleError(
            f"the sample of {question.name} lacks {', '.join(missing)}",
            hint=f"give a dict with a value for each: --sample {example(required)}",
        )
    for name, value in inputs.items():
        size = getattr(value, "nbytes", 0)
        if isinstance(size, int) and size > SAMPLE_BYTES:
            raise SampleError(
                f"the sample of {name} has {size:,} bytes; it goes into the Bento as its proof",
                hint="give some rows of it",
            )
    return inputs


def example(names: list[str]) -> str:
    """What a sample looks like, for a hint."""
    return "EXPR" if len(names) == 1 else "{" + ", ".join(f"{name!r}: ..." for name in names) + "}"


def tables(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs that have rows: arrays and frames."""
    return {
        name: value
        for name, value in inputs.items()
        if hasattr(value, "shape") and len(getattr(value, "shape", ())) > 0
    }


def rows_of(inputs: Mapping[str, Any]) -> int | None:
    """The number of rows of the tables among the inputs; None when there is none or they differ."""
    counts = {int(value.shape[0]) for value in tables(inputs).values()}
    return counts.pop() if len(counts) == 1 else None


def with_first_row(inputs: Mapping[str, Any]) -> dict[str, Any] | None:
    """The inputs with the first row of their tables alone; None when there are not more."""
    rows = rows_of(inputs)
    if rows is None or rows < 2:
        return None
    found = tables(inputs)
    return {
        name: (value.iloc[:1] if hasattr(value, "iloc") else value[:1]) if name in found else value
        for name, value in inputs.items()
    }
