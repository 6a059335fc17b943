"""What a form has to know of its front end: whether what was typed has arrived, and what stays of it."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

import ipywidgets

from ..errors import WaitTimeoutError

__all__ = ["FrontEnd", "record_html", "shown_in_kernel"]

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


def shown_in_kernel() -> bool:
    """Is there a front end that may show widgets?"""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and getattr(shell, "kernel", None) is not None


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
        for widget in (self._link, self._asked, self._answered):
            widget.close()
