"""Widgets whose value never is part of their state.

The state of a widget is sent back by the kernel as an echo, given to each page that asks, and saved in the
notebook when the user wants widgets to be saved. So what a front end sends here is taken out before it
reaches the state, and the front end is told at once that it is gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import ipywidgets
from traitlets import Int

__all__ = ["SecretText", "UploadedFile", "UploadedItem"]


class SecretText(ipywidgets.Password):  # type: ignore[misc]
    """A password whose value stays in the kernel.

    What is typed is sent when the field is left, or with Enter, and the field is empty after that; its
    placeholder says that there is something.

    Attributes:
        given: Grows with each text that was given; observe it instead of `value`.
    """

    given = Int(0, help="how often a text was given")

    def __init__(self, **options: Any) -> None:
        super().__init__(continuous_update=False, **options)
        self._secret = ""
        self._before: str = options.get("placeholder", "")

    @property
    def secret(self) -> str:
        """The text; it is nowhere else."""
        return self._secret

    @secret.setter
    def secret(self, value: str) -> None:
        self._secret = value
        self.placeholder = (
            f"given, {len(value)} characters; kept out of the notebook" if value else self._before
        )
        self.given += 1

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take what the front end sends, all but the value, which is kept here alone."""
        state = dict(sync_data)
        typed = state.pop("value", "")
        super().set_state(state)
        if typed:
            self.send_state("value")  # it is "" here, and now there, too
            self.secret = typed


@dataclass(frozen=True)
class UploadedItem:
    """A file that was chosen.

    Attributes:
        name: Its name.
        content: Its content.
        media_type: What the browser says it is.
    """

    name: str
    content: bytes = field(repr=False)
    media_type: str = ""


class UploadedFile(ipywidgets.FileUpload):  # type: ignore[misc]
    """A file whose content stays in the kernel: a notebook is no place for it.

    Attributes:
        given: Grows with each choice; observe it instead of `value`.
        files: What was chosen.
    """

    given = Int(0, help="how often something was chosen")

    def __init__(self, **options: Any) -> None:
        self.files: tuple[UploadedItem, ...] = ()
        super().__init__(**options)

    def put(self, files: Sequence[tuple[str, bytes]]) -> None:
        """Choose files by their names and contents."""
        self.files = tuple(UploadedItem(name, content) for name, content in files)
        self.given += 1

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take what the front end sends, all but the contents, which are kept here alone."""
        state = dict(sync_data)
        chosen = state.pop("value", None)
        super().set_state(state)
        if chosen:
            self.files = tuple(
                UploadedItem(each["name"], bytes(each["content"]), each.get("type", "")) for each in chosen
            )
            self.send_state("value")
            self.given += 1
