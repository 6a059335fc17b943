"""polars frames, as Arrow files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..parts import Loader, Refer, Saved
from .framework import Framework, is_a, saved

__all__ = ["PolarsFrames"]


class PolarsFrames(Framework):
    """`polars.DataFrame` as Arrow IPC, which has all of polars' types but `Object`."""

    name = "polars"

    def applies(self, obj: Any) -> bool:
        """True for frames without Python objects in them."""
        return is_a(obj, "polars.dataframe.frame.DataFrame") and "Object" not in map(str, obj.dtypes)

    def save(self, obj: Any, folder: Path, name: str, refer: Refer) -> Saved:
        """Save it as `.arrow`."""
        file = f"{name}.arrow"
        obj.write_ipc(folder / file)
        loader = Loader(("import polars",), f'polars.read_ipc(folder / "{file}")')
        return saved(self.name, obj, folder, [file], loader, {"polars": ["read_ipc"]})
