"""How objects of libraries are pickled where their own way is bound to a process, a device or a moment.

Asked for each class once; nothing is imported for classes that are not in the list.
"""

from __future__ import annotations

import copyreg
import io
import warnings
from collections.abc import Callable
from typing import Any

from .framework import is_a
from .places import type_name

__all__ = ["reducer_of"]


def reducer_of(obj: Any) -> Callable[[Any], tuple[Any, ...]] | None:
    """How objects of the class of `obj` are pickled; None = in their own way."""
    exact = REDUCERS.get(type_name(obj))
    return exact or next((reducer for name, reducer in REDUCERS_OF_BASES.items() if is_a(obj, name)), None)


def xgboost_booster(obj: Any) -> tuple[Any, ...]:
    """A booster by its model file; its own pickle is a snapshot of memory, device included."""
    return type(obj), (None, (), bytearray(obj.save_raw("ubj")))


def torch_storage(obj: Any) -> tuple[Any, ...]:
    """The memory of a tensor, on the CPU; torch's own pickle has its address in it."""
    import torch

    buffer = io.BytesIO()
    with warnings.catch_warnings():  # of its own ways
        warnings.simplefilter("ignore", UserWarning)
        torch.save(obj.cpu(), buffer)
    return torch.storage._load_from_bytes, (buffer.getvalue(),)


def onnx_session(obj: Any) -> tuple[Any, ...]:
    """A session by its model, for the CPU; it has no pickle of its own."""
    from .onnx import session_bytes

    return type(obj), (session_bytes(obj), None, ["CPUExecutionProvider"])


def by_attributes(obj: Any) -> tuple[Any, ...]:
    """An object by its class and attributes, past a `__getstate__` that leaves something out or refuses.

    statsmodels leaves out the design of a formula and evaluates the formula again when it is read, in what
    function happens to be on the stack then; patsy, which made the design, refuses to be pickled. What they
    hold are plain values, and the functions that the formula uses, which the pickler re-homes.
    """
    return copyreg.__newobj__, (type(obj),), dict(vars(obj))  # type: ignore[attr-defined]


def patsy_environment(obj: Any) -> tuple[Any, ...]:
    """What a formula sees: only the names that it uses are ever in there."""
    return type(obj), ([dict(namespace) for namespace in obj._namespaces], obj.flags)


#: By the class itself.
REDUCERS: dict[str, Callable[[Any], tuple[Any, ...]]] = {
    "xgboost.core.Booster": xgboost_booster,
    "torch.storage.UntypedStorage": torch_storage,
    "torch.storage.TypedStorage": torch_storage,
    "onnxruntime.capi.onnxruntime_inference_collection.InferenceSession": onnx_session,
    "patsy.eval.EvalEnvironment": patsy_environment,
}
#: By a class that the object's class inherits from; a name that ends in a dot is a package.
REDUCERS_OF_BASES: dict[str, Callable[[Any], tuple[Any, ...]]] = {
    "statsmodels.base.data.ModelData": by_attributes,
    "patsy.": by_attributes,
}
