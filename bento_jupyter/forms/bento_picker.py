"""The field that picks a Bento out of many, by searching."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ipywidgets

from .. import workspace
from ..client.cloud import Cloud
from ..display.words import age, size
from ..home import Home
from ..proofs import kept
from . import fields
from .namespace import built_bentos

__all__ = ["BentoPicker", "offered_bentos"]


class BentoPicker(fields.Field):
    """A Bento out of many: a text to search by, above a list, newest first, with the proof of each.

    What was chosen by hand, or put, is chosen again as soon as the search shows it again.

    Args:
        label: Label.
        bentos: Tag, and what is shown.
    """

    def __init__(self, label: str, bentos: Sequence[tuple[str, str]]) -> None:
        self._all: list[tuple[str, str]] = [(shown, tag) for tag, shown in bentos]
        self._picked = ""
        self._showing = False
        layout = {**fields.FULL, "max_width": "34em"}
        self.search = ipywidgets.Text(
            description=label,
            placeholder="type to search",
            style=fields.LABEL,
            layout=layout,
        )
        self.widget = ipywidgets.Select(
            options=self._all,
            rows=min(5, max(2, len(self._all))),
            description="found",
            style=fields.LABEL,
            layout=layout,
        )
        super().__init__(
            ipywidgets.VBox([self.search, self.widget], layout={"width": "100%", "overflow": "visible"})
        )
        self.widgets = (self.search, self.widget)
        self.search.observe(self._searched, "value")
        self.widget.observe(self._picked_by_hand, "value")

    def _picked_by_hand(self, _: Any) -> None:
        if not self._showing:
            self._picked = self.value
            self._changed()

    def _searched(self, _: Any = None) -> None:
        words = self.search.value.lower().split()
        found = [each for each in self._all if all(word in each[0].lower() for word in words)]
        tags = [tag for _, tag in found]
        self._show(found, next((tag for tag in (self._picked, self.value, *tags) if tag in tags), ""))
        self._changed()

    def _show(self, bentos: Sequence[tuple[str, str]], tag: str) -> None:
        self._showing = True  # for a moment the first one is chosen, which nobody is to hear
        self.widget.options = bentos
        self.widget.value = tag or None
        self._showing = False

    def _get(self) -> str:
        return self.widget.value or ""

    def _put(self, value: Any) -> None:
        former, self._picked = self.value, value or ""
        self.search.value = ""
        if value and value not in [tag for _, tag in self._all]:
            self._all = [(f"{value}  (in the cloud)", value), *self._all]
        self._show(self._all, self._picked)
        if self.value != former:
            self._changed()

    def offer(self, bentos: Sequence[tuple[str, str]]) -> None:
        """Offer other Bentos; what is searched for and what is chosen stay."""
        self._all = [(shown, tag) for tag, shown in bentos]
        for tag in (self.value, self._picked):
            if tag and tag not in [each for _, each in self._all]:
                self._all.append((tag, tag))
        self.widget.rows = min(5, max(2, len(self._all)))
        self._searched()

    def own_problem(self) -> str:
        """What is wrong that the value does not show."""
        if self.value:
            return ""
        return "nothing found" if self._all else "no Bento yet: %bento_form build makes one"


def offered_bentos(namespace: dict[str, Any], cloud: Cloud) -> list[tuple[str, str]]:
    """Bentos to choose from, tag and words: those built in the notebook, then all others, newest first.

    A Bento that was proven on this machine says so, whoever proved it. Of proofs elsewhere nobody tells: a
    registry has none of them. A proof is that of a Bento, not of a tag, so the time of building has to fit.

    Args:
        namespace: The notebook's names.
        cloud: Whose registry may have more than the local store.
    """
    home = Home.default()
    found = {item["tag"]: (item, item["built_at"], "in the cloud") for item in cloud.bentos()}
    found |= {item["tag"]: (item, item["created_at"], "") for item in workspace.local_bentos()}
    built = built_bentos(namespace)
    tags = sorted(found, key=lambda tag: (tag in built, found[tag][0]["created_at"]), reverse=True)

    def words(tag: str) -> str:
        item, built_at, where = found[tag]
        proof = (built[tag].proof if tag in built else None) or kept(home, tag, built_at)
        badge = "" if proof is None else "✓ proven" if proof.equal else "✗ different"
        held = "" if item["size"] is None else f", {size(item['size'])}"
        return "  ".join(part for part in (tag, badge, f"{age(item['created_at'])} old{held}", where) if part)

    return [(tag, words(tag)) for tag in tags]
