"""Any other object that can be pickled: the last resort."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..parts import Refer, Saved
from .framework import Framework
from .pickling import save_pickle

__all__ = ["Pickled", "pickled"]


class Pickled(Framework):
    """Objects that no other framework knows, as plain pickles: instances of the notebook's classes, partials.

    What such an object can be asked depends on its class alone, so it offers no methods.
    """

    name = "pickle"

    def applies(self, obj: Any) -> bool:
        """True for everything."""
        return True

    def save(self, obj: Any, folder: Path, name: str, refer: Refer) -> Saved:
        """Save it as a plain pickle."""
        return save_pickle(self.name, obj, folder, name, refer, joblib=False)


#: The last resort: saves whatever can be pickled.
pickled = Pickled()
