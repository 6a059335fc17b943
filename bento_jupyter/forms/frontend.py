"""What a form has to know of its front end: what has arrived, which cell shows it, and what stays of it."""

from __future__ import annotations

import functools
import sys
import threading
import time
from typing import Any, Protocol

import ipywidgets

from ..errors import WaitTimeoutError
from .fields import close_widgets

__all__ = ["Cells", "FrontEnd", "Shown", "cells_of", "record_html", "running_shell"]

#: Seconds to wait for a front end that has never answered: it may have no links.
PATIENCE = 3.0
#: Seconds to wait for one that has; it is slow, or gone.
LONGEST = 60.0

#: The record of a form is for notebooks in which it does not live: hidden beside a form that does, while one
#: that has lost its kernel, or never was loaded, is hidden beside its record.
_LIVE = ":has(.bento-form:not(.jupyter-widgets-disconnected))"
_CHILD, _RECORD = ".jp-OutputArea-child", ".jp-OutputArea-child:has(.bento-record)"
STYLE = (
    f"<style>{_CHILD}{_LIVE} + {_RECORD} {{ display: none }} "
    f"{_CHILD}:not({_LIVE}):has(+ {_CHILD} .bento-record) {{ display: none }}</style>"
)


def record_html(html: str) -> str:
    """The HTML that stays in the notebook when the form does not."""
    return f'{STYLE}<div class="bento-record">{html}</div>'


def running_shell() -> Any:
    """The IPython of a kernel, whose front end may show widgets; None where there is none."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return None if getattr(shell, "kernel", None) is None else shell


class Shown(Protocol):
    """What a cell shows until it runs again."""

    def close(self) -> None:
        """End it."""

    def cell_ran(self) -> None:
        """Some cell has run: what it shows may follow from something else now."""


class Cells:
    """Which forms are shown by which cells: what a cell that ran again, or is gone, shows no more is closed.

    Cells are known by the ids that front ends send; where none is sent, forms stay until they are closed.

    Args:
        shell: The IPython of the kernel.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._shown: dict[str, list[Shown]] = {}
        self._former: dict[str, list[Shown]] = {}
        shell.events.register("pre_run_cell", self._begun)
        shell.events.register("post_run_cell", self._ended)

    def show(self, form: Shown) -> None:
        """The cell that runs now shows a form."""
        if cell := self._metadata().get("cellId"):
            self._shown.setdefault(cell, []).append(form)

    def _metadata(self) -> dict[str, Any]:
        """What the front end said about the cell that runs now."""
        parent = self._shell.kernel.get_parent("shell") or {}
        return dict(parent.get("metadata") or {})

    def _begun(self, info: Any) -> None:
        if info.cell_id in self._shown:
            self._former[info.cell_id] = self._shown.pop(info.cell_id)

    def _ended(self, result: Any) -> None:
        left = self._former.pop(result.info.cell_id, [])
        for deleted in self._metadata().get("deletedCells") or ():
            left += self._shown.pop(deleted, [])
        shown = [form for forms in self._shown.values() for form in forms]
        for form in left:
            if form not in shown:
                form.close()
        for form in shown:
            form.cell_ran()


@functools.cache
def cells_of(shell: Any) -> Cells:
    """The cells of a kernel."""
    return Cells(shell)


class FrontEnd:
    """Asks the front end for a sign, which comes after everything that the user did before.

    A front end holds a change of a widget back while an earlier one is under way, but sends a click at once,
    so that a click can come before what was typed. It lets go of what it holds when the kernel is done with
    the earlier change; that is told to it before the kernel asks for the sign. So when the sign is there, so
    is the change. The sign is a link between two widgets, which is followed in the front end.
    """

    def __init__(self) -> None:
        self._asked = ipywidgets.IntText(0)
        self._answered = ipywidgets.IntText(0)
        self._link = ipywidgets.jsdlink((self._asked, "value"), (self._answered, "value"))
        self._arrived = threading.Condition()
        self._knows_links = False
        self._answered.observe(self._sign, "value")

    def _sign(self, _: Any) -> None:
        with self._arrived:
            self._knows_links = True
            self._arrived.notify_all()

    def settle(self, closed: threading.Event) -> None:
        """Wait until all that the user did so far has arrived; not to be called in a callback.

        Args:
            closed: Ends the waiting.

        Raises:
            WaitTimeoutError: The front end, which answers such questions, does not answer this one.
        """
        with self._arrived:
            self._asked.value += 1
            wanted, begun = self._asked.value, time.monotonic()
            while self._answered.value < wanted and not closed.is_set():
                patience = LONGEST if self._knows_links else PATIENCE
                left = begun + patience - time.monotonic()
                if left <= 0:
                    break
                self._arrived.wait(min(left, 1.0))
            if self._knows_links and self._answered.value < wanted and not closed.is_set():
                raise WaitTimeoutError(
                    "the page did not say what was typed last; nothing was done", hint="click again"
                )

    def close(self) -> None:
        """Take the two widgets and the link away."""
        close_widgets(self._link, self._asked, self._answered)
