"""Fields of forms: a labelled ipywidget with a place beside it for what is wrong with its value."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import ipywidgets

__all__ = ["Field", "choice", "flag", "lines", "number", "text"]

_LABEL = {"description_width": "9em"}
_WIDTH = "32em"


class Field:
    """One field: `widget`, its message, and `box`, which holds both.

    Args:
        widget: The ipywidget.
        help_text: One line under the field; "" = none.
    """

    def __init__(self, widget: Any, help_text: str = "") -> None:
        self.widget = widget
        self._message = ipywidgets.HTML()
        self._message.layout.display = "none"
        children = [ipywidgets.HBox([widget, self._message])]
        if help_text:
            children.append(
                ipywidgets.HTML(f'<div style="margin-left:9.5em;opacity:.75">{escape(help_text)}</div>')
            )
        self.box = ipywidgets.VBox(children)

    @property
    def value(self) -> Any:
        """The value of the widget."""
        return self.widget.value

    @property
    def problem(self) -> str:
        """What is wrong with the value; "" when nothing is."""
        found: str = getattr(self, "_problem", "")
        return found

    @problem.setter
    def problem(self, said: str) -> None:
        if said == self.problem:
            return
        self._problem = said
        self._message.value = (
            f'<span role="alert" style="color:var(--jp-error-color1,#b00020)">✕ {escape(said)}</span>'
            if said
            else ""
        )
        self._message.layout.display = "" if said else "none"


def text(label: str, value: str = "", *, placeholder: str = "", help_text: str = "") -> Field:
    """A line of text."""
    widget = ipywidgets.Text(
        value=value, description=label, placeholder=placeholder, style=_LABEL, layout={"width": _WIDTH}
    )
    return Field(widget, help_text)


def lines(label: str, *, placeholder: str = "", help_text: str = "") -> Field:
    """Several lines of text."""
    widget = ipywidgets.Textarea(
        description=label, placeholder=placeholder, rows=3, style=_LABEL, layout={"width": _WIDTH}
    )
    return Field(widget, help_text)


def number(label: str, value: int, *, least: int, most: int, help_text: str = "") -> Field:
    """A whole number."""
    widget = ipywidgets.BoundedIntText(
        value=value, min=least, max=most, description=label, style=_LABEL, layout={"width": "16em"}
    )
    return Field(widget, help_text)


def choice(
    label: str, options: Sequence[tuple[str, Any]], value: Any = None, *, help_text: str = ""
) -> Field:
    """One of several; options are pairs of what is shown and the value."""
    chosen = value if value is not None else (options[0][1] if options else None)
    widget = ipywidgets.Dropdown(
        options=list(options), value=chosen, description=label, style=_LABEL, layout={"width": _WIDTH}
    )
    return Field(widget, help_text)


def flag(label: str, description: str) -> Field:
    """Yes or no."""
    widget = ipywidgets.Checkbox(
        value=False, description=description, indent=False, layout={"width": "max-content"}
    )
    caption = ipywidgets.Label(
        label, layout={"width": "9em", "display": "flex", "justify_content": "flex-end"}
    )
    field = Field(widget)
    field.box.children = (ipywidgets.HBox([caption, widget]),)
    return field
