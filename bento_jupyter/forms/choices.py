"""Fields that offer values: one of several, or some of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ipywidgets

from .fields import LABEL, WIDE, Field, close_widgets, note

__all__ = ["Choice", "Options", "Several"]

#: What there is to choose from: what is shown, and the value.
Options = Sequence[tuple[str, Any]]
#: Stands behind what is chosen, and there no longer.
GONE = " (gone)"
#: Up to so many choices are shown side by side instead of in a list that has to be opened.
FEW = 3


class Choice(Field):
    """One of several, side by side when they are few.

    Args:
        label: Label.
        options: What is shown, and the value.
        tip: Shown when the pointer rests on it.
        few: So many options are shown side by side.
    """

    def __init__(self, label: str, options: Options, *, tip: str = "", few: int = FEW) -> None:
        self._values = [value for _, value in options]
        self._offering = False
        common = {
            "options": _numbered(options),
            "description": label,
            "tooltip": tip or None,
            "style": LABEL,
        }
        if 0 < len(options) <= few:
            self.widget = ipywidgets.RadioButtons(
                **common,
                orientation="horizontal",
                layout={"width": "100%", "max_width": "44em", "flex_flow": "row wrap"},
            )
            self.widget.add_class("widget-inline-hbox").add_class("jupyter-widget-inline-hbox")
        else:
            self.widget = ipywidgets.Dropdown(**common, layout=WIDE)
        super().__init__(self.widget)
        self._observe(self.widget)

    def _get(self) -> Any:
        return None if self.widget.value is None else self._values[self.widget.value]

    def _put(self, value: Any) -> None:
        if value not in self._values:  # what a newer cloud or another machine has, is kept
            self._values.append(value)
            self.widget.options = [*self.widget.options, (str(value), len(self._values) - 1)]
        self.widget.value = self._values.index(value)

    def offer(self, options: Options, *, keep: bool = False) -> None:
        """Put other options in place; the value stays when it is among them.

        Args:
            options: What is shown, and the value.
            keep: A value that is gone stays, and says that it is, until another one is chosen; otherwise the
                first option is chosen in its place.
        """
        kept = self.value
        if keep and self.widget.value is not None and kept not in [value for _, value in options]:
            options = [*options, (_gone(self.widget.label), kept)]
        self._values = [value for _, value in options]
        self._offering = True  # for a moment the first one is chosen, which nobody is to hear
        self.widget.options = _numbered(options)
        if kept in self._values:
            self.widget.value = self._values.index(kept)
        self._offering = False
        if self.value != kept:
            self._changed()

    def _changed(self, _: Any = None) -> None:
        if not self._offering:
            super()._changed()


def _numbered(options: Options) -> list[tuple[str, int]]:
    """Options by their place: for the widget the value None would be no choice at all."""
    return [(shown, place) for place, (shown, _) in enumerate(options)]


def _gone(shown: str) -> str:
    """The words of what is chosen and no longer there, however often that was found."""
    return f"{shown.removesuffix(GONE)}{GONE}"


class Several(Field):
    """Some of several, each a box to tick.

    Args:
        label: Label.
        options: What is shown, and the value.
        empty: Said when there is nothing.
    """

    def __init__(self, label: str, options: Options, *, tip: str = "", empty: str = "there are none") -> None:
        caption = ipywidgets.Label(
            label,
            tooltip=tip or None,
            layout={"width": "9em", "display": "flex", "justify_content": "flex-end"},
        )
        self._boxes: dict[str, ipywidgets.Checkbox] = {}
        self._empty = ipywidgets.HTML(note(empty), layout={"margin": "5px 2px"})
        self._list = ipywidgets.HBox([self._empty], layout={"flex_flow": "row wrap", "max_width": "34em"})
        super().__init__(caption, self._list)
        self.offer(options)

    def offer(self, options: Options, *, keep: bool = False) -> None:
        """Put other options in place; what is ticked of them stays so.

        Args:
            options: What is shown, and the value.
            keep: What is ticked and gone stays, too, and says that it is gone, until it is ticked no more.
        """
        former, self._boxes = self._boxes, {}
        if keep:
            there = [value for _, value in options]
            ticked = [(value, box) for value, box in former.items() if box.value and value not in there]
            options = [*options, *((_gone(box.description), value) for value, box in ticked)]
        for shown, value in options:
            self._boxes[value] = former.get(value) or self._box()
            self._boxes[value].description = shown
        self._lay_out()
        gone = [box for value, box in former.items() if value not in self._boxes]
        was_ticked = any(box.value for box in gone)
        close_widgets(*gone)
        if was_ticked:
            self._changed()

    def _box(self) -> ipywidgets.Checkbox:
        box = ipywidgets.Checkbox(indent=False, layout={"width": "auto", "margin": "2px 12px 2px 2px"})
        self._observe(box)
        return box

    def _lay_out(self) -> None:
        self._empty.layout.display = "none" if self._boxes else ""
        shown = (self._empty, *self._boxes.values())
        if shown != self._list.children:
            self._list.children = shown

    def _get(self) -> list[str]:
        return [value for value, box in self._boxes.items() if box.value]

    def _put(self, value: Any) -> None:
        wanted = list(value or [])
        for each in wanted:
            if each not in self._boxes:  # what another cloud has, is kept
                self._boxes[each] = self._box()
                self._boxes[each].description = str(each)
        self._lay_out()
        for each, box in self._boxes.items():
            box.value = each in wanted
