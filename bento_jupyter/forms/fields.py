"""Fields of forms: what one value of a model is entered with, and the place beside it for what is wrong.

A field has a `value` that pydantic reads (what was typed, not what it means), a `box` to lay out, and a
`problem` shown beside it. `at` finds the field that a pydantic error location means. Core ipywidgets only.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import ipywidgets
from pydantic import SecretStr
from pydantic_core import to_jsonable_python

from .secret import SecretText, UploadedFile

__all__ = [
    "Choice",
    "Field",
    "File",
    "Flag",
    "Json",
    "Listing",
    "Mapping",
    "Number",
    "Secret",
    "Several",
    "Text",
    "alert",
    "note",
]

LABEL = {"description_width": "9em"}
WIDE = {"width": "100%", "max_width": "34em", "min_width": "0"}
#: Up to so many choices are shown side by side instead of in a list that has to be opened.
FEW = 3


def alert(said: str, hint: str = "") -> str:
    """HTML of something that went wrong: a sign and words, announced by screen readers."""
    more = f'<div style="opacity:.85">{escape(hint)}</div>' if hint else ""
    style = "color:var(--jp-error-color1,#b00020);line-height:1.4;white-space:normal"
    return f'<div role="alert" style="{style}">✕ {escape(said)}{more}</div>' if said else ""


def note(said: str) -> str:
    """HTML of a remark, announced when the reader has time."""
    style = "line-height:1.4;white-space:normal;opacity:.85"
    return f'<div role="status" style="{style}">{escape(said)}</div>' if said else ""


class Field:
    """What all fields have in common.

    Args:
        widgets: What the value is entered with, from left to right.
        help_text: A line under them; "" = none.

    Attributes:
        box: All of the field, to be laid out.
    """

    def __init__(self, *widgets: ipywidgets.Widget, help_text: str = "") -> None:
        self._listeners: list[Callable[[], None]] = []
        self._problem = ""
        self._message = ipywidgets.HTML(layout={"display": "none", "margin": "2px 8px"})
        self._help = ipywidgets.HTML(note(help_text), layout={"margin": "0 0 4px 9.5em"})
        self._help.layout.display = "" if help_text else "none"
        row = ipywidgets.HBox([*widgets, self._message], layout={"flex_flow": "row wrap", "width": "100%"})
        self.box = ipywidgets.VBox([row, self._help], layout={"width": "100%", "overflow": "visible"})
        self.widgets = widgets

    @property
    def value(self) -> Any:
        """What was entered, as pydantic is to read it; None = nothing, the default holds."""
        return self._get()

    @value.setter
    def value(self, value: Any) -> None:
        self._put(value)

    def _get(self) -> Any:
        raise NotImplementedError

    def _put(self, value: Any) -> None:
        raise NotImplementedError

    def watch(self, callback: Callable[[], None]) -> None:
        """Call `callback` after each change of the value."""
        self._listeners.append(callback)

    def _observe(self, widget: ipywidgets.Widget, trait: str = "value") -> None:
        widget.observe(self._changed, trait)

    def _changed(self, _: Any = None) -> None:
        for callback in list(self._listeners):
            callback()

    @property
    def problem(self) -> str:
        """What is wrong with the value; "" when nothing is."""
        return self._problem

    @problem.setter
    def problem(self, said: str) -> None:
        if said != self._problem:
            self._problem = said
            self._message.value = alert(said)
            self._message.layout.display = "" if said else "none"

    @property
    def remark(self) -> str:
        """The line under the field."""
        return str(self._help.value)

    @remark.setter
    def remark(self, said: str) -> None:
        self._help.value = note(said)
        self._help.layout.display = "" if said else "none"

    def own_problem(self) -> str:
        """What is wrong in a way that the value does not show, e.g. a name given twice; "" = nothing."""
        return ""

    def at(self, place: Sequence[Any]) -> Field:
        """The field within this one that a pydantic error location means; itself when there is none."""
        return self

    def inner(self) -> Sequence[Field]:
        """The fields within this one."""
        return ()

    def settle(self) -> None:
        """Show what the field itself finds wrong, and forget what was said before."""
        self.problem = self.own_problem()
        for field in self.inner():
            field.settle()

    @property
    def is_sound(self) -> bool:
        """Nothing is wrong here nor within."""
        return not self.problem and all(field.is_sound for field in self.inner())

    def forget(self) -> None:
        """Give up what is secret in it."""
        for field in self.inner():
            field.forget()

    def close(self) -> None:
        """Take its widgets away."""
        waiting: list[ipywidgets.Widget] = [self.box]
        while waiting:
            widget = waiting.pop()
            waiting += getattr(widget, "children", ())
            widget.close()

    @property
    def disabled(self) -> bool:
        """True when it is shown and cannot be changed."""
        return any(getattr(widget, "disabled", False) for widget in self.widgets)

    @disabled.setter
    def disabled(self, disabled: bool) -> None:
        for widget in self.widgets:
            if widget.has_trait("disabled"):
                widget.disabled = disabled
        for field in self.inner():
            field.disabled = disabled


class Text(Field):
    """A text; several lines of it when `lines` is above 1.

    Args:
        label: Label.
        tip: Shown when the pointer rests on it.
        empty: What an empty text means: "" or None.
        placeholder: What an empty one shows.
        lines: Height.
    """

    def __init__(
        self, label: str, *, tip: str = "", empty: Any = "", placeholder: str = "", lines: int = 1
    ) -> None:
        options = {"description": label, "tooltip": tip or None, "placeholder": placeholder, "style": LABEL}
        self.widget = (
            ipywidgets.Text(**options, layout=WIDE)
            if lines == 1
            else ipywidgets.Textarea(**options, rows=lines, layout=WIDE)
        )
        self._empty = empty
        super().__init__(self.widget)
        self._observe(self.widget)

    def _get(self) -> Any:
        return self.widget.value or self._empty

    def _put(self, value: Any) -> None:
        self.widget.value = "" if value is None else str(value)


class Number(Text):
    """A number, as text: an empty one is the default, and what is no number is said to be none."""

    def __init__(self, label: str, *, tip: str = "", placeholder: str = "") -> None:
        super().__init__(label, tip=tip, empty=None, placeholder=placeholder)

    def _get(self) -> Any:
        return self.widget.value.strip() or None

    def _put(self, value: Any) -> None:
        self.widget.value = "" if value is None else repr(value)


class Json(Text):
    """A value of any type, as JSON; what is no JSON is a text."""

    def __init__(self, label: str, *, tip: str = "", placeholder: str = "", lines: int = 1) -> None:
        super().__init__(label, tip=tip, empty=None, placeholder=placeholder, lines=lines)

    def _get(self) -> Any:
        typed = self.widget.value.strip()
        if not typed:
            return None
        try:
            return json.loads(typed)
        except ValueError:
            return typed

    def _put(self, value: Any) -> None:
        plain = to_jsonable_python(value)
        if isinstance(plain, str):
            try:
                json.loads(plain)
            except ValueError:
                self.widget.value = plain
                return
        self.widget.value = "" if plain is None else json.dumps(plain, ensure_ascii=False)


class Choice(Field):
    """One of several, side by side when they are few.

    Args:
        label: Label.
        options: What is shown, and the value.
        tip: Shown when the pointer rests on it.
        few: So many options are shown side by side.
    """

    def __init__(
        self, label: str, options: Sequence[tuple[str, Any]], *, tip: str = "", few: int = FEW
    ) -> None:
        self._values = [value for _, value in options]
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
                layout={
                    "width": "100%",
                    "max_width": "44em",
                    "flex_flow": "row wrap",
                    "align_items": "center",
                },
            )
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

    def offer(self, options: Sequence[tuple[str, Any]]) -> None:
        """Put other options in place; the value stays when it is among them."""
        kept = self.value
        self._values = [value for _, value in options]
        self.widget.options = _numbered(options)
        if kept in self._values:
            self.widget.value = self._values.index(kept)
        self._changed()


def _numbered(options: Sequence[tuple[str, Any]]) -> list[tuple[str, int]]:
    """Options by their place: for the widget the value None would be no choice at all."""
    return [(shown, place) for place, (shown, _) in enumerate(options)]


class Flag(Field):
    """Yes or no."""

    def __init__(self, label: str, *, tip: str = "") -> None:
        self.widget = ipywidgets.Checkbox(
            description=label, tooltip=tip or None, style=LABEL, layout={"width": "100%", "max_width": "44em"}
        )
        super().__init__(self.widget)
        self._observe(self.widget)

    def _get(self) -> bool:
        return bool(self.widget.value)

    def _put(self, value: Any) -> None:
        self.widget.value = bool(value)


class Secret(Field):
    """A text that is read once and shown never: it stays in the kernel, see `SecretText`."""

    def __init__(self, label: str, *, tip: str = "", placeholder: str = "", empty: Any = "") -> None:
        self.widget = SecretText(
            description=label, tooltip=tip or None, placeholder=placeholder, style=LABEL, layout=WIDE
        )
        self._empty = empty
        super().__init__(self.widget)
        self._observe(self.widget, "given")

    def _get(self) -> Any:
        return self.widget.secret or self._empty

    def _put(self, value: Any) -> None:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        self.widget.secret = text or ""

    def forget(self) -> None:
        """Give up what is secret in it."""
        self.widget.secret = ""


class File(Field):
    """A file, or several; its content stays in the kernel, see `UploadedFile`."""

    def __init__(self, label: str, *, tip: str = "", several: bool = False, accept: str = "") -> None:
        self.widget = UploadedFile(
            description=f"Choose {'files' if several else 'a file'}",
            multiple=several,
            accept=accept,
            tooltip=tip or f"{label}: choose from your computer",
            layout={"width": "auto"},
        )
        self.shown = ipywidgets.HTML(note("nothing chosen"))
        caption = ipywidgets.Label(
            label, layout={"width": "9em", "display": "flex", "justify_content": "flex-end"}
        )
        self._several = several
        super().__init__(caption, self.widget, self.shown)
        self._observe(self.widget, "given")

    def _changed(self, _: Any = None) -> None:
        said = ", ".join(f"{file.name} ({len(file.content)} bytes)" for file in self.widget.files)
        self.shown.value = note(said or "nothing chosen")
        super()._changed()

    def _get(self) -> Any:
        contents = [file.content for file in self.widget.files]
        if self._several:
            return contents
        return contents[0] if contents else None

    def _put(self, value: Any) -> None:
        contents = list(value) if self._several and value else [value] if value else []
        self.widget.put([("file", bytes(each)) for each in contents])

    def forget(self) -> None:
        """Give up what is secret in it."""
        self.widget.put([])


class Several(Field):
    """Some of several, each a box to tick.

    Args:
        label: Label.
        options: What there is.
        empty: Said when there is nothing.
    """

    def __init__(
        self, label: str, options: Sequence[str], *, tip: str = "", empty: str = "there are none"
    ) -> None:
        caption = ipywidgets.Label(
            label,
            tooltip=tip or None,
            layout={"width": "9em", "display": "flex", "justify_content": "flex-end"},
        )
        self._boxes: dict[str, ipywidgets.Checkbox] = {}
        self._list = ipywidgets.HBox(layout={"flex_flow": "row wrap", "max_width": "34em"})
        self._empty = empty
        super().__init__(caption, self._list)
        for each in options:
            self._offer(each)
        self._lay_out()

    def _offer(self, option: str) -> None:
        box = ipywidgets.Checkbox(
            description=option, indent=False, layout={"width": "auto", "margin": "2px 12px 2px 2px"}
        )
        self._boxes[option] = box
        self._observe(box)

    def offer(self, option: str) -> None:
        """Offer one more, unless it is offered already."""
        if option not in self._boxes:
            self._offer(option)
            self._lay_out()

    def _lay_out(self) -> None:
        self._list.children = tuple(self._boxes.values()) or (ipywidgets.HTML(note(self._empty)),)

    def _get(self) -> list[str]:
        return [option for option, box in self._boxes.items() if box.value]

    def _put(self, value: Any) -> None:
        wanted = list(value or [])
        for each in wanted:
            if each not in self._boxes:
                self._offer(each)
        self._lay_out()
        for option, box in self._boxes.items():
            box.value = option in wanted


class _Rows(Field):
    """Rows that can be added and removed."""

    def __init__(self, label: str, *, tip: str = "", word: str = "") -> None:
        caption = ipywidgets.Label(
            label,
            tooltip=tip or None,
            layout={"width": "9em", "display": "flex", "justify_content": "flex-end"},
        )
        self._label, self._word = label, word or "one"
        self._rows: list[tuple[Any, ...]] = []
        self._list = ipywidgets.VBox(layout={"width": "100%"})
        self.add = ipywidgets.Button(
            description="Add",
            icon="plus",
            tooltip=f"{label}: add {self._word}",
            layout={"width": "auto", "align_self": "flex-start"},
        )
        self.add.on_click(lambda _: self.more())
        column = ipywidgets.VBox(
            [self._list, self.add], layout={"width": "100%", "max_width": "34em", "flex": "1 1 16em"}
        )
        super().__init__(caption, column)
        self.widgets = (self.add,)

    def _made(self) -> tuple[Any, ...]:
        """The fields of a new row."""
        raise NotImplementedError

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
            icon="times",
            tooltip=f"{self._label}: remove {self._word} {len(self._rows) + 1}",
            layout={"width": "auto"},
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
                self._changed()

        remove.on_click(gone)
        for field in row:
            field.watch(self._changed)
        self._changed()
        return row

    def inner(self) -> Sequence[Field]:
        """The fields within it."""
        return [field for row in self._rows for field in row]

    def _clear(self) -> None:
        self._rows, self._list.children = [], ()


class Listing(_Rows):
    """A list of values, a row each.

    Args:
        label: Label.
        item: Makes the field of one value.
    """

    def __init__(self, label: str, item: Callable[[], Field], *, tip: str = "") -> None:
        self._item = item
        super().__init__(label, tip=tip)

    def _made(self) -> tuple[Any, ...]:
        return (self._item(),)

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
    """Names with values, a row each.

    Args:
        label: Label.
        item: Makes the field of one value.
    """

    def __init__(self, label: str, item: Callable[[], Field], *, tip: str = "") -> None:
        self._item = item
        super().__init__(label, tip=tip)

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
