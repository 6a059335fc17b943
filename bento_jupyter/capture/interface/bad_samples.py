"""Samples that an object may refuse: what it raises over them, its service has to refuse as well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["bad_inputs"]


def bad_inputs(inputs: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Inputs made worse: of their first table the last column, or one number, is taken away.

    Args:
        inputs: Live inputs by name; they are not changed.

    Yields:
        A title and the inputs.

    Example:
        >>> import numpy as np
        >>> [title for title, _ in bad_inputs({"X": np.ones((3, 2))})]
        ['a column missing', 'a number missing']
    """
    for name, table in inputs.items():
        shape = getattr(table, "shape", ())
        if not shape or not hasattr(table, "__len__") or hasattr(table, "detach"):
            continue
        if len(shape) == 2 and shape[1] > 1:
            yield (
                "a column missing",
                {**inputs, name: table.iloc[:, :-1] if hasattr(table, "iloc") else table[:, :-1]},
            )
        if shape[0]:
            worse = without_a_number(table)
            if worse is not None:
                yield "a number missing", {**inputs, name: worse}
        return


def without_a_number(table: Any) -> Any:
    """A copy of a table with NaN for the first of its floating-point numbers; None when it has none."""
    import numpy as np

    worse = table.copy()
    if isinstance(worse, np.ndarray):
        if worse.dtype.kind != "f" or not worse.size:
            return None
        worse[(0,) * worse.ndim] = np.nan
        return worse
    if worse.ndim == 1:
        if getattr(worse.dtype, "kind", "") != "f":
            return None
        worse.iloc[0] = np.nan
        return worse
    for i, dtype in enumerate(worse.dtypes):
        if isinstance(dtype, np.dtype) and dtype.kind == "f":
            worse.iloc[0, i] = np.nan
            return worse
    return None
