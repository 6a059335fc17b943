"""Differences between what runs and what the user sees: cells that were edited or replaced since."""

from __future__ import annotations

import ast
import functools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bento_jupyter.capture.parts import Place

from .executed import Executed, Text, top_level_names

__all__ = ["Stale"]


class Stale:
    """Compares captured definitions with newer cells and with the saved notebook.

    Args:
        executed: What the kernel executed.
        warn: Called with each warning.
    """

    def __init__(self, executed: Executed, warn: Callable[[str], None]) -> None:
        self._executed = executed
        self._warn = warn

    def check(self, name: str, value: Any, place: Place | None) -> None:
        """Warn if a newer cell, or the notebook as it is saved, defines `name` in another way."""
        if place is None:
            return
        own = next(
            (text for text in self._executed.cells if text.label == place.source and text.number), None
        )
        if own is None:
            return
        name = getattr(value, "__name__", name)
        mine = definition(own, name)
        if mine is None:
            return
        newer = self._executed.bound_after(name, own.number)
        if newer is not None:
            theirs = definition(newer, name)
            if theirs is not None and theirs != mine:
                self._warn(
                    f"{name} goes along as {place} defined it, which is what runs; "
                    f"{newer.label} defines it in another way"
                )
                return
        self._check_saved(name, own, mine, place)

    def _check_saved(self, name: str, own: Text, mine: str, place: Place) -> None:
        cells = self._saved
        if not cells:
            return
        same = next((source for number, source in cells if number == own.number), None)
        if same is not None:
            if not _same_text(same, own) and definition(Text("", _python(same)), name) not in (mine, None):
                self._warn(
                    f"{name} goes along as {place} ran; the text of that cell was edited since: run it again"
                )
            return
        others = [definition(Text("", _python(source)), name) for _, source in cells]
        found = [other for other in others if other is not None]
        if found and mine not in found:
            self._warn(
                f"{name} goes along as {place} ran; the notebook has another text for it now: run it again"
            )

    @functools.cached_property
    def _saved(self) -> list[tuple[int | None, str]]:
        """Code cells of the notebook's file: number of execution, text."""
        shell = self._executed.shell
        namespace = getattr(shell, "user_ns", {})
        known = namespace.get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME") or ""
        path = Path(str(known))
        if path.suffix != ".ipynb" or not path.is_file():
            return []
        try:
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
            return [
                (cell.get("execution_count"), "".join(cell["source"]))
                for cell in cells
                if cell.get("cell_type") == "code"
            ]
        except (OSError, ValueError, KeyError, TypeError):
            return []


def _python(source: str) -> str:
    """A cell without its magics, as far as its definitions are concerned."""
    kept = []
    for line in source.splitlines():
        kept.append("" if line.lstrip().startswith(("%", "!")) else line)
    return "\n".join(kept)


def _same_text(source: str, own: Text) -> bool:
    return source.strip() in (own.raw.strip(), own.content.strip())


def definition(text: Text, name: str) -> str | None:
    """What a text says `name` is, regardless of comments and spacing; None = nothing."""
    if text.tree is None or name not in text.content or name not in top_level_names(text.tree):
        return None
    found = [
        ast.dump(node)
        for node in ast.walk(text.tree)
        if (isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and node.name == name)
        or (
            isinstance(node, ast.Assign)
            and any(isinstance(target, ast.Name) and target.id == name for target in node.targets)
        )
    ]
    return found[-1] if found else None
