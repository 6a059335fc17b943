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
from pydantic_core import to_jsonable_python

__all__ = [
    "Field",
    "Flag",
    "Json",
    "Number",
    "Text",
    "alert",
    "close_widgets",
    "note",
    "read_json",
]

LABEL = {"description_width": "9em"}
#: As wide as a column has room; "100%" would be that and the margins of ipywidgets.
FULL = {"width": "auto", "min_width": "0"}
WIDE = {"width": "100%", "max_width": "34em", "min_width": "0"}


def alert(said: str, hint: str = "") -> str:
    """HTML of something that went wrong: a sign and words, announced by screen readers."""
    more = f'<div style="opacity:.85">{escape(hint)}</div>' if hint else ""
    style = "color:var(--jp-error-color1,#b00020);line-height:1.4;white-space:normal"
    return f'<div role="alert" style="{style}">✕ {escape(said)}{more}</div>' if said else ""


def note(said: str) -> str:
    """HTML of a remark, announced when the reader has time."""
    style = "line-height:1.4;white-space:normal;opacity:.85"
    return f'<div role="status" style="{style}">{escape(said)}</div>' if said else ""


def close_widgets(*widgets: ipywidgets.Widget) -> None:
    """Close widgets with all that is within them, and their layouts and styles, which nobody else would."""
    waiting = list(widgets)
    while waiting:
        widget = waiting.pop()
        waiting += getattr(widget, "children", ())
        parts = (getattr(widget, each, None) for each in ("layout", "style"))
        waiting += [part for part in parts if isinstance(part, ipywidgets.Widget)]
        widget.close()


class TwiceError(ValueError):
    """A JSON object has two values of one name."""


def read_json(text: str) -> Any:
    """What a JSON text says.

    Raises:
        ValueError: It is no JSON, is nested too deeply, or names something twice (one would be lost).

    Example:
        >>> read_json('{"a": 1, "a": 2}')
        Traceback (most recent call last):
        bento_jupyter.forms.fields.TwiceError: 'a' is there twice
    """
    try:
        return json.loads(text, object_pairs_hook=_named_once)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise TwiceError(f"{next(name for name in names if names.count(name) > 1)!r} is there twice")
    return found


class Field:
    """What all fields have in common.

    Args:
        widgets: What the value is entered with, from left to right.
        help_text: A line under them; "" = none.

    Attributes:
        box: All of the field, to be laid out.
        needed: Nothing entered is a problem.
        rule: Says what is wrong with a value that was entered; "" = nothing. None = there is no rule.
    """

    needed = False
    rule: Callable[[Any], str] | None = None

    def __init__(self, *widgets: ipywidgets.Widget, help_text: str = "") -> None:
        self._listeners: list[Callable[[], None]] = []
        self._problem = self._refused = ""
        self._message = ipywidgets.HTML(layout={"display": "none", "margin": "2px 8px"})
        self._help = ipywidgets.HTML(note(help_text), layout={"margin": "0 0 4px 9.5em"})
        self._help.layout.display = "" if help_text else "none"
        row = ipywidgets.HBox([*widgets, self._message], layout={"flex_flow": "row wrap", "width": "100%"})
        self.box = ipywidgets.VBox([row, self._help], layout={"width": "100%", "overflow": "visible"})
        self.widgets = widgets

    @property
    def entered(self) -> bool:
        """Something was entered, if only that it is None; where nothing was, the default holds."""
        return self.value is not None

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
        self.refuse("")
        for callback in list(self._listeners):
            callback()

    @property
    def problem(self) -> str:
        """What is wrong with the value, or was when it was used last; "" when nothing is."""
        return self._problem or self._refused

    @problem.setter
    def problem(self, said: str) -> None:
        self._problem = said
        self._tell()

    def refuse(self, said: str) -> None:
        """Say why the value was refused: shown until it changes, but whoever wants to may try it again."""
        self._refused = said
        self._tell()

    def pardon(self) -> None:
        """Take back what was refused, here and within: it is tried again."""
        self.refuse("")
        for field in self.inner():
            field.pardon()

    def _tell(self) -> None:
        said = alert(self.problem)
        if said != self._message.value:
            self._message.value = said
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

    def _broken_rule(self) -> str:
        if not self.entered:
            return "it is needed" if self.needed else ""
        return self.rule(self.value) if self.rule is not None else ""

    def at(self, place: Sequence[Any]) -> Field:
        """The field within this one that a pydantic error location means; itself when there is none."""
        return self

    def inner(self) -> Sequence[Field]:
        """The fields within this one."""
        return ()

    def settle(self) -> None:
        """Show what the field itself finds wrong, and forget what was said before."""
        self.problem = self.own_problem() or self._broken_rule()
        for field in self.inner():
            field.settle()

    @property
    def is_sound(self) -> bool:
        """Nothing is wrong here nor within."""
        return not self._problem and all(field.is_sound for field in self.inner())

    def forget(self) -> None:
        """Give up what is secret in it."""
        for field in self.inner():
            field.forget()

    def close(self) -> None:
        """Take its widgets away, and what is secret in it."""
        self.forget()
        close_widgets(self.box)
        for field in self.inner():
            field.close()

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
        offered: Texts to choose from, or to begin with; None = none, then or later.
    """

    def __init__(
        self,
        label: str,
        *,
        tip: str = "",
        empty: Any = "",
        placeholder: str = "",
        lines: int = 1,
        offered: Sequence[str] | None = None,
    ) -> None:
        options = {"description": label, "tooltip": tip or None, "placeholder": placeholder, "style": LABEL}
        if offered is not None:
            self.widget = ipywidgets.Combobox(**options, options=list(offered), layout=WIDE)
        elif lines == 1:
            self.widget = ipywidgets.Text(**options, layout=WIDE)
        else:
            self.widget = ipywidgets.Textarea(**options, rows=lines, layout=WIDE)
        self._empty = empty
        super().__init__(self.widget)
        self._observe(self.widget)

    def _get(self) -> Any:
        return self.widget.value or self._empty

    def _put(self, value: Any) -> None:
        self.widget.value = "" if value is None else str(value)

    def offer(self, texts: Sequence[str]) -> None:
        """Offer other texts, of a field that offers some."""
        self.widget.options = list(texts)


class Number(Text):
    """A number, as text: an empty one is the default, and what is no number is said to be none."""

    def __init__(self, label: str, *, tip: str = "", placeholder: str = "") -> None:
        super().__init__(label, tip=tip, empty=None, placeholder=placeholder)

    def _get(self) -> Any:
        return self.widget.value.strip() or None

    def _put(self, value: Any) -> None:
        self.widget.value = "" if value is None else str(value)


class Json(Text):
    """A value of any type, as JSON; what is no JSON is a text."""

    def __init__(self, label: str, *, tip: str = "", placeholder: str = "", lines: int = 1) -> None:
        super().__init__(label, tip=tip, empty=None, placeholder=placeholder, lines=lines)

    def _get(self) -> Any:
        typed = self.widget.value.strip()
        if not typed:
            return None
        try:
            return read_json(typed)
        except ValueError:
            return typed

    def own_problem(self) -> str:
        """What is wrong that the value, a text then, does not show."""
        try:
            read_json(self.widget.value)
        except TwiceError as error:
            return str(error)
        except ValueError:  # it is a text
            pass
        return ""

    def _put(self, value: Any) -> None:
        plain = to_jsonable_python(value)
        if isinstance(plain, str):
            try:
                json.loads(plain)
            except ValueError:
                self.widget.value = plain
                return
        self.widget.value = "" if plain is None else json.dumps(plain, ensure_ascii=False)


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
