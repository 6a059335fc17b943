"""Fields of several values: lists and mappings, with rows that can be added and removed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets

from .fields import Field, Text, close_widgets

__all__ = ["Listing", "Mapping"]


class _Rows(Field):
    """Rows that can be added and removed.

    Args:
        label: Label.
        item: Makes the field of one value.
        tip: Shown when the pointer is on the label.
    """

    def __init__(self, label: str, item: Callable[[], Field], *, tip: str = "") -> None:
        caption = ipywidgets.Label(
            label,
            tooltip=tip or None,
            layout={"width": "9em", "display": "flex", "justify_content": "flex-end"},
        )
        self._label, self._item = label, item
        self._rows: list[tuple[Any, ...]] = []
        self._list = ipywidgets.VBox(layout={"width": "100%"})
        self.add = ipywidgets.Button(
            description="Add",
            icon="plus",
            tooltip=f"{label}: add a row",
            layout={"width": "auto", "align_self": "flex-start"},
        )
        self.add.on_click(lambda _: self.more())
        self._column = ipywidgets.VBox(
            [self._list, self.add], layout={"width": "100%", "max_width": "34em", "flex": "1 1 16em"}
        )
        super().__init__(caption, self._column)
        self.widgets = (self.add,)
        row, below = self.box.children
        row.children = (caption, self._column)  # beside the rows there is no room for what is wrong
        self._message.layout.margin = "0 0 4px 9.5em"
        self.box.children = (row, self._message, below)

    def _made(self) -> tuple[Any, ...]:
        """The fields of a new row."""
        return (self._item(),)

    def _arranged(self, row: tuple[Any, ...]) -> ipywidgets.Widget:
        for field in row:
            field.box.layout.flex, field.box.layout.width = "1 1 8em", "auto"
        return ipywidgets.HBox(
            [field.box for field in row],
            layout={"flex": "1 1 auto", "flex_flow": "row wrap", "width": "auto"},
        )

    def more(self) -> tuple[Any, ...]:
        """Add a row; returns its fields."""
        row = self._made()
        remove = ipywidgets.Button(
            description="Remove",  # an icon alone would be the name that screen readers say
            tooltip=f"{self._label}: remove row {len(self._rows) + 1}",
            layout={"width": "auto", "flex": "0 0 auto"},
        )
        shown = ipywidgets.HBox(
            [self._arranged(row), remove], layout={"width": "100%", "align_items": "flex-start"}
        )
        self._rows.append(row)
        self._list.children = (*self._list.children, shown)

        def gone(_: Any) -> None:
            if row in self._rows:
                self._rows.remove(row)
                self._list.children = tuple(child for child in self._list.children if child is not shown)
                close_widgets(shown)
                self._changed()

        remove.on_click(gone)
        if any(field.inner() for field in row):
            self._column.layout.flex = "1 1 30em"  # labels within take room: in narrow cells below the label
        for field, word in zip(row[::-1], ("value", "name"), strict=False):
            self._name(field, f"{self._label}: {word}")
            field.watch(self._changed)
        self._changed()
        return row

    @staticmethod
    def _name(field: Field, name: str) -> None:
        """Give an input without a label one for screen readers, which takes no room."""
        widget = getattr(field, "widget", None)
        if isinstance(widget, ipywidgets.DOMWidget) and getattr(widget, "description", None) == "":
            widget.style.description_width = "0"
            widget.description = name

    def inner(self) -> Sequence[Field]:
        """The fields within it."""
        return [field for row in self._rows for field in row]

    def _clear(self) -> None:
        gone = self._list.children
        self._rows, self._list.children = [], ()
        close_widgets(*gone)


class Listing(_Rows):
    """A list of values, a row each."""

    def _get(self) -> list[Any]:
        return [row[0].value for row in self._rows]

    def _put(self, value: Any) -> None:
        self._clear()
        for each in value or []:
            self.more()[0].value = each
        self._changed()

    def at(self, place: Sequence[Any]) -> Field:
        """The field within it that a place means."""
        if place and isinstance(place[0], int) and place[0] < len(self._rows):
            found: Field = self._rows[place[0]][0].at(place[1:])
            return found
        return self


class Mapping(_Rows):
    """Names with values, a row each."""

    def _made(self) -> tuple[Any, ...]:
        key = Text("", placeholder="NAME", tip=f"{self._label}: name")
        key.widget.add_class("bento-key")
        return (key, self._item())

    def _get(self) -> dict[str, Any]:
        return {row[0].value.strip(): row[1].value for row in self._given()}

    def _put(self, value: Any) -> None:
        self._clear()
        for key, each in (value or {}).items():
            row = self.more()
            row[0].value, row[1].value = key, each
        self._changed()

    def _given(self) -> list[tuple[Any, ...]]:
        return [row for row in self._rows if row[0].value.strip() or row[1].value]

    def own_problem(self) -> str:
        """What is wrong that the value does not show."""
        names = [row[0].value.strip() for row in self._given()]
        twice = sorted({name for name in names if name and names.count(name) > 1})
        if twice:
            return f"{', '.join(twice)}: given twice"
        return "a value has no name" if "" in names else ""

    def at(self, place: Sequence[Any]) -> Field:
        """The field within it that a place means."""
        for row in self._given():
            if place and row[0].value.strip() == place[0]:
                found: Field = row[0] if place[1:] == ("[key]",) else row[1].at(place[1:])
                return found
        return self
