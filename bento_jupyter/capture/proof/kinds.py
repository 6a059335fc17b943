"""Which kinds of values are compared, and in which form."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterable
from datetime import datetime, time
from enum import Enum
from typing import Any

__all__ = ["alike", "kind_of"]


def kind_of(value: Any) -> str:
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


def alike(expected: Any, served: Any) -> tuple[Any, Any]:
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
    if type(served) is str and (kind_of(expected) == "time" or type(expected).__name__ in UNKNOWN_TO_JSON):
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
