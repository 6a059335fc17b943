"""Lists of Bentos, models, instance types and log lines."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from html import escape
from typing import Any

from ..views import InstanceType, LogLine
from .tables import Table
from .words import age, size

__all__ = ["LogView", "bentos_table", "instance_types_table", "models_table", "show_lines"]


def bentos_table(local: Sequence[dict[str, Any]], remote: Sequence[dict[str, Any]]) -> Table:
    """Bentos of the local store and of the cloud, one row per tag."""
    rows: dict[str, list[str]] = {}
    for where, items in (("local", local), ("cloud", remote)):
        for item in items:
            row = rows.setdefault(item["tag"], [item["tag"], size(item["size"]), age(item["created_at"]), ""])
            row[3] = f"{row[3]}, {where}" if row[3] else where
    return Table(
        ["tag", "size", "age", "where"], list(rows.values()), empty="no Bentos yet: %bento_build makes one"
    )


def models_table(items: Sequence[dict[str, Any]]) -> Table:
    """Models of the cloud."""
    rows = [[item["tag"], size(item["size"]), age(item["created_at"])] for item in items]
    return Table(["tag", "size", "age"], rows, empty="no models yet: pushing a Bento brings its models")


def instance_types_table(items: Sequence[InstanceType]) -> Table:
    """Instance types of the cloud."""
    rows = [
        [item.name, f"{item.cpu:g}", size(item.memory_bytes), item.gpu or "", item.price, item.description]
        for item in items
    ]
    return Table(["name", "CPUs", "memory", "GPUs", "price", "description"], rows)


class LogView:
    """Log lines, shown as text in a box that scrolls.

    Args:
        lines: The lines, oldest first.
    """

    def __init__(self, lines: Sequence[LogLine]) -> None:
        self.lines = list(lines)

    def __len__(self) -> int:
        return len(self.lines)

    def __iter__(self) -> Any:
        return iter(self.lines)

    def __str__(self) -> str:
        return "\n".join(_words(line) for line in self.lines) or "no log lines yet"

    __repr__ = __str__

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        style = (
            "max-height:24em;overflow:auto;font-family:var(--jp-code-font-family,monospace);font-size:12px"
        )
        return {
            "text/plain": str(self),
            "text/html": f'<pre style="{style}" tabindex="0" aria-label="log">{escape(str(self))}</pre>',
        }


def show_lines(lines: Sequence[LogLine]) -> None:
    """Write log lines to the cell's (or terminal's) standard output."""
    for line in lines:
        sys.stdout.write(_words(line) + "\n")
    sys.stdout.flush()


def _words(line: LogLine) -> str:
    return f"[{line.source}] {line.text}"
