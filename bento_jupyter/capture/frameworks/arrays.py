"""Arrays: numpy's and SciPy's sparse ones, in numpy's own file formats, without pickle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..parts import Loader, Refer, Saved
from .framework import Framework, is_a, saved

__all__ = ["Arrays", "SparseArrays"]


class Arrays(Framework):
    """Plain numpy arrays as `.npy`; those of objects and of numpy's subclasses are pickled."""

    name = "numpy"

    def applies(self, obj: Any) -> bool:
        """True for arrays that the format keeps as they are."""
        if not is_a(obj, "numpy.ndarray"):
            return False
        import numpy as np

        dtype = obj.dtype
        return type(obj) is np.ndarray and dtype.isbuiltin != 2 and keeps(dtype)

    def save(self, obj: Any, folder: Path, name: str, refer: Refer) -> Saved:
        """Save it as `.npy`."""
        import numpy as np

        file = f"{name}.npy"
        np.save(folder / file, obj, allow_pickle=False)
        loader = Loader(("import numpy as np",), f'np.load(folder / "{file}", allow_pickle=False)')
        return saved(self.name, obj, folder, [file], loader, {"numpy": ["load"]})


def keeps(dtype: Any) -> bool:
    """Whether the `.npy` format keeps a dtype as it is."""
    import numpy as np

    if dtype.hasobject or dtype.metadata is not None or dtype.kind == "T":
        return False
    return bool(np.lib.format.descr_to_dtype(np.lib.format.dtype_to_descr(dtype)) == dtype)


class SparseArrays(Framework):
    """SciPy's sparse matrices and arrays as `.npz`, in the formats that it has for them."""

    name = "scipy.sparse"

    def applies(self, obj: Any) -> bool:
        """True for SciPy's own classes in the formats that `save_npz` has."""
        return (
            is_a(obj, "scipy.sparse._base._spbase")
            and obj.format in ("csr", "csc", "coo", "bsr", "dia")
            and (type(obj).__module__.startswith("scipy.") and not obj.dtype.hasobject)
        )

    def save(self, obj: Any, folder: Path, name: str, refer: Refer) -> Saved:
        """Save it as `.npz`."""
        from scipy import sparse

        file = f"{name}.npz"
        sparse.save_npz(folder / file, obj, compressed=False)
        loader = Loader(("from scipy import sparse",), f'sparse.load_npz(folder / "{file}")')
        return saved(self.name, obj, folder, [file], loader, {"scipy.sparse": ["load_npz"]})
