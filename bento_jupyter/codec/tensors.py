"""PyTorch's tensors: carried as the arrays they are, and made again where torch is there."""

from __future__ import annotations

import importlib.util
from typing import Any

from .descriptors import CodecError

__all__ = ["LIBRARY", "array_of", "as_library", "is_tensor"]

#: Key of an array's descriptor: the library whose tensor it is.
LIBRARY = "library"


def is_tensor(value: Any) -> bool:
    """Is it a tensor of PyTorch? Imports nothing."""
    return any(cls.__module__ == "torch" and cls.__qualname__ == "Tensor" for cls in type(value).__mro__)


def array_of(value: Any) -> Any:
    """The numpy array of a tensor; anything else as it is.

    Raises:
        CodecError: It is of a dtype or layout that numpy has not.
    """
    if not is_tensor(value):
        return value
    try:
        return value.detach().cpu().resolve_conj().resolve_neg().numpy()
    except (TypeError, RuntimeError) as error:  # bfloat16, sparse, quantized
        raise CodecError(
            f"a tensor of {value.dtype} in the layout {value.layout} cannot be carried; "
            "give a numpy array: .float().numpy() or .to_dense().numpy()"
        ) from error


def as_library(array: Any, library: str | None) -> Any:
    """An array as a tensor of that library; as it is where the library is not installed."""
    if library != "torch" or importlib.util.find_spec("torch") is None:
        return array
    import torch

    return torch.from_numpy(array if array.flags.writeable and array.flags.c_contiguous else array.copy())
