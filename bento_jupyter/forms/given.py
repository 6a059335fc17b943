"""Fields of what is given to the kernel and kept there: secrets and files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets
from pydantic import SecretStr

from .fields import LABEL, WIDE, Field, note
from .secret import SecretText, UploadedFile

__all__ = ["File", "Secret"]


def _clear_button(label: str, clear: Callable[[], None]) -> ipywidgets.Button:
    """A button that takes back what was given, shown while there is something."""
    button = ipywidgets.Button(
        description="Clear", tooltip=f"{label}: take it back", layout={"width": "auto", "display": "none"}
    )
    button.on_click(lambda _: clear())
    return button


class Secret(Field):
    """A text that is read once and shown never: it stays in the kernel, see `SecretText`.

    An empty one changes nothing, so there is a button that takes back what was given.
    """

    def __init__(self, label: str, *, tip: str = "", placeholder: str = "", empty: Any = "") -> None:
        self.widget = SecretText(
            description=label, tooltip=tip or None, placeholder=placeholder, style=LABEL, layout=WIDE
        )
        self._empty = empty
        self.clear = _clear_button(label, self.forget)
        # In a row of a list there is no label, and the whole row can be removed.
        self._in_row = not label
        super().__init__(self.widget, self.clear)
        self._observe(self.widget, "given")

    def _changed(self, _: Any = None) -> None:
        self.clear.layout.display = "" if self.widget.secret and not self._in_row else "none"
        super()._changed()

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
        self.clear = _clear_button(label, self.forget)
        super().__init__(caption, self.widget, self.shown, self.clear)
        self._observe(self.widget, "given")

    def _changed(self, _: Any = None) -> None:
        self.clear.layout.display = "" if self.widget.files else "none"
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
