"""The report of the corpus: a table case by case, and one line for all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from .runner import Outcome

__all__ = ["line", "markdown", "summary"]

#: Longest detail in a table.
LONG = 160


def line(outcome: Outcome) -> str:
    """One case in the terminal."""
    mark = {"right": "✓", "refused": "✓", "skipped": "-"}.get(outcome.outcome, "✗")
    said = f": {outcome.detail}" if outcome.detail and outcome.outcome != "refused" else ""
    return f"{mark} {outcome.outcome:<10} {outcome.seconds:5.1f} s  {outcome.case.name}{said[:400]}"


def summary(outcomes: Sequence[Outcome], seconds: float) -> str:
    """All cases in one line."""
    counts = Counter(outcome.outcome for outcome in outcomes)
    names = ("right", "refused", "skipped", "WRONG", "crashed", "unexpected")
    figures = ", ".join(f"{counts[name]} {name}" for name in names if counts[name] or name == "WRONG")
    return f"{len(outcomes)} cases: {figures}; {seconds:.0f} s"


def markdown(outcomes: Sequence[Outcome], seconds: float) -> str:
    """The table, as Markdown."""
    rows = [
        f"| {item.case.name} | {_cell(item.case.title)} | {item.case.expect} | {item.outcome} "
        f"| {_cell(item.detail)} | {item.seconds:.1f} |"
        for item in outcomes
    ]
    head = ["| case | what it is | expected | outcome | detail | s |", "|---|---|---|---|---|---|"]
    return "\n".join(["# Corpus", "", summary(outcomes, seconds), "", *head, *rows, ""])


def _cell(text: str) -> str:
    short = " ".join(text.split()).replace("|", "\\|")
    return short if len(short) <= LONG else f"{short[:LONG]}…"
