"""Log lines: in a box that scrolls, or written to the cell's output as they come."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from ..spec import utc_now
from ..views import LogLine
from .markup import FONT, element
from .tables import as_of

__all__ = ["LogView", "show_lines"]


class LogView(list[LogLine]):
    """Log lines, shown as text in a box that scrolls.

    Args:
        lines: The lines, oldest first.
    """

    def __init__(self, lines: Iterable[LogLine]) -> None:
        super().__init__(lines)
        self._at = utc_now()

    def __repr__(self) -> str:
        return "\n".join(map(_words, self)) or "no log lines"

    __str__ = __repr__

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        style = (
            "max-height:24em;overflow:auto;font-family:var(--jp-code-font-family,monospace);font-size:12px"
        )
        box = element("pre", str(self), style=style, tabindex="0", role="log", aria_label="log")
        html = element("div", box, *as_of(self._at), style=FONT)
        return {"text/plain": str(self), "text/html": str(html)}


def show_lines(lines: Iterable[LogLine]) -> None:
    """Write log lines to the cell's (or terminal's) standard output, each as it comes."""
    for line in lines:
        sys.stdout.write(_words(line) + "\n")
        sys.stdout.flush()


def _words(line: LogLine) -> str:
    return f"[{line.source}] {line.text}"
