"""Something that changes, shown in one place: a display that updates itself, or a line per change."""

from __future__ import annotations

import sys
from typing import Any

from .progress import face

__all__ = ["Live"]


class Live:
    """One output of the cell, updated; in a terminal, a line whenever the line has changed."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._line = ""

    def show(self, card: Any, line: str) -> None:
        """Show it as it is now.

        Args:
            card: What a notebook shows.
            line: What a terminal shows.
        """
        if face() != "kernel":
            if line != self._line:
                self._line = line
                sys.stdout.write(line + "\n")
                sys.stdout.flush()
            return
        if self._handle is None:
            from IPython.display import display

            self._handle = display(card, display_id=True)
        else:
            self._handle.update(card)
