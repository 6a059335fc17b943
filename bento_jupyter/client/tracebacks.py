"""Tracebacks of a log, told in the cells of the notebook that the code came from.

A Bento's `notebook_code.py` says above each definition which cell it was executed in. The line within the
cell is counted from there, and named only when the cell, as this kernel remembers it, has that very line.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..views import LogLine

__all__ = ["MODULE", "executed_cells", "in_cells", "last_traceback", "traceback_of"]

#: The module of a Bento that is written from cells.
MODULE = "notebook_code.py"
_BEGIN = "Traceback (most recent call last):"
_FRAME = re.compile(r'^  File "(?P<path>[^"]+)", line (?P<line>\d+)(?:, in (?P<name>.+))?$')
_ORIGIN = re.compile(r"^# (?P<label>cell \[(?P<number>\d+)\])(?:: .*)?$")
_TRACE = re.compile(r"\(trace=[0-9a-f]+,")
#: A line of a log that begins a record of its own.
_RECORD = re.compile(r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d")


def last_traceback(lines: Sequence[str]) -> list[str]:
    """The last traceback in the lines of a log, with the line of its error; [] = there is none.

    Example:
        >>> last_traceback(["up", "Traceback (most recent call last):", '  File "a.py", line 1', "E: no", ""])
        ['Traceback (most recent call last):', '  File "a.py", line 1', 'E: no']
    """
    begins = [place for place, line in enumerate(lines) if line.rstrip().endswith(_BEGIN)]
    if not begins:
        return []
    found = [_BEGIN]
    for line in lines[begins[-1] + 1 :]:
        if _RECORD.match(line):
            break
        found.append(line)
        if line and not line.startswith(" "):
            break  # the line of the error
    return found


def traceback_of(lines: Sequence[LogLine], request_id: str) -> list[str]:
    """The traceback that a request left in the log; [] = it left none.

    BentoML writes the request's span into the first line of each record, and its trace, which it has in
    common with what it asked other services of the deployment: the first of them to fail is where it began.

    Args:
        lines: The log, oldest first.
        request_id: The span, as the answer named it.
    """
    spans = [line.text for line in lines if request_id and f"span={request_id}," in line.text]
    if not spans:
        return []
    named = _TRACE.search(spans[-1])
    mark = named[0] if named else f"span={request_id},"
    for at, first in enumerate(lines):
        if mark in first.text:
            record = [line.text for line in lines[at + 1 :] if line.source == first.source]
            found = last_traceback(list(takewhile(lambda text: not _RECORD.match(text), record)))
            if found:
                return found
    return []


def in_cells(traceback: Sequence[str], module: Path, cells: Sequence[str]) -> list[str]:
    """The frames of a traceback that are code of the notebook, then its error; [] = no frame is.

    Args:
        traceback: Its lines.
        module: The `notebook_code.py` of the Bento.
        cells: The cells that this kernel has executed, by number.

    Returns:
        For each frame the cell, with the line in it where that is known, and its source; last the error.
    """
    try:
        source = module.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    told = []
    for line in traceback:
        frame = _FRAME.match(line)
        if frame is None or Path(frame["path"]).name != MODULE:
            continue
        number = int(frame["line"])
        place = _place(source, number, cells)
        if place:
            told += [f"{place}, in {frame['name']}", f"    {source[number - 1].strip()}"]
    return [*told, traceback[-1].strip()] if told else []


def _place(source: Sequence[str], number: int, cells: Sequence[str]) -> str:
    """`cell [3], line 5` for a line of the module; "" when it comes from no cell."""
    if not 0 < number <= len(source):
        return ""
    begin = next((at for at in range(number - 1, 0, -1) if _is_outside(source, at)), 0)
    origin = _ORIGIN.match(source[begin])
    if origin is None:
        return ""
    cell = int(origin["number"])
    if cell < len(cells):
        lines = cells[cell].splitlines()
        first = source[begin + 1]
        for at in (at for at, line in enumerate(lines) if line.strip() == first.strip()):
            same = at + number - begin - 2
            if same < len(lines) and lines[same].strip() == source[number - 1].strip():
                return f"{origin['label']}, line {same + 1}"
    return origin["label"]


def _is_outside(source: Sequence[str], at: int) -> bool:
    """Whether a line of the module says where the next statement comes from, or separates two of them."""
    return bool(_ORIGIN.match(source[at])) or (not source[at] and not source[at - 1])


def executed_cells() -> list[str]:
    """The cells of this kernel by their number, as they were executed; [] outside of IPython."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return list(shell.user_ns.get("In", [])) if shell is not None else []
