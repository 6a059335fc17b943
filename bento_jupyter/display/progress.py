"""Progress of several steps, in place: one output of the cell, updated as the steps come and go.

In a notebook it is a display that updates itself; in a terminal a line per finished step; elsewhere
silent. Nothing is printed, so what runs in the steps cannot be mixed into it.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import Interrupted
from .markup import FONT, INK, element, unseen
from .words import duration

__all__ = ["Progress", "face"]

#: Seconds that the end waits for the clock, which may be looking at a cloud that does not answer.
LONGEST_LOOK = 2.0


class _Step:
    def __init__(self, name: str) -> None:
        self.name = name
        self.state = "waiting"
        self.detail = ""
        self.begun = 0.0
        self.seconds = 0.0

    @property
    def icon(self) -> str:
        return {"waiting": "○", "running": "◐", "done": "✓", "failed": "✕"}[self.state]

    @property
    def time(self) -> str:
        if self.state == "waiting":
            return ""
        return duration(self.seconds if self.state != "running" else time.perf_counter() - self.begun)


class Progress:
    """Steps with their state, detail and time.

    Args:
        title: What is under way.
        steps: Names of the steps, in order.
        quiet: Show nothing.
        after: Show nothing until this many seconds have passed, so that what is quick leaves no trace.
        sink: Called with this object at each change, instead of a display of its own (forms use it).
        look: Gives the detail of the running step; asked, in a thread, only while it is shown.

    Example:
        >>> progress = Progress("Deploying iris", ["build", "push"], quiet=True)
        >>> with progress.step("build"):
        ...     progress.detail("3 endpoints")
        >>> print(str(progress).splitlines()[1].split("  ")[0])
        ✓ build
    """

    #: Seconds between two redraws while a step runs.
    REDRAW = 0.25

    def __init__(
        self,
        title: str,
        steps: list[str],
        *,
        quiet: bool = False,
        after: float = 0.0,
        sink: Callable[[Progress], None] | None = None,
        look: Callable[[], str] | None = None,
    ) -> None:
        self.title = title
        self._show_from = time.perf_counter() + after
        self.steps = {name: _Step(name) for name in steps}
        #: What goes on when the user interrupts now, in words.
        self.goes_on = ""
        self._current: _Step | None = None
        self._face = "none" if quiet else "sink" if sink is not None else face()
        self._sink = sink
        self._look = look
        self._handle: Any = None
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._clock: threading.Thread | None = None

    def __enter__(self) -> Progress:
        if self._face in ("kernel", "sink"):
            # The time of the running step ticks also while nothing else happens.
            self._clock = threading.Thread(target=self._tick, name="bento-progress", daemon=True)
            self._clock.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        self._stop.set()
        if self._clock is not None:
            self._clock.join(LONGEST_LOOK)
        self._draw()
        if kind is KeyboardInterrupt:
            at = next((f" at {step.name}" for step in self.steps.values() if step.state == "failed"), "")
            raise Interrupted(f"{self.title} was stopped{at}", hint=self.goes_on) from error

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Run a step: its time is taken, an exception marks it failed and goes on."""
        step = self.steps[name]
        with self._lock:
            previous, self._current = self._current, step
            step.state, step.begun = "running", time.perf_counter()
        try:
            self._draw()
            yield
        except BaseException:
            step.state = "failed"
            raise
        else:
            step.state = "done"
        finally:
            with self._lock:
                step.seconds = time.perf_counter() - step.begun
                self._current = previous
            self._draw(finished=step)

    def detail(self, text: str) -> None:
        """Say what the running step is at; nothing is looked for after that."""
        with self._lock:
            self._look = None
            if self._current is None or self._current.detail == text:
                return
            self._current.detail = text
        self._draw()

    def note(self, text: str) -> None:
        """`detail` that is shown with the next redraw: for what changes many times a second."""
        with self._lock:
            if self._current is not None:
                self._current.detail = text

    def times(self) -> dict[str, float]:
        """Seconds of each finished step."""
        return {step.name: step.seconds for step in self.steps.values() if step.state in ("done", "failed")}

    def __str__(self) -> str:
        width = max(len(name) for name in self.steps)
        lines = [self.title]
        for step in self.steps.values():
            lines.append(
                f"{step.icon} {step.name.ljust(width)}  {step.time.rjust(7)}  {step.detail}".rstrip()
            )
        return "\n".join(lines)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        cell = "text-align:left;vertical-align:top;padding:1px 12px 1px 0;"
        whole = f"{cell}white-space:nowrap;"
        rows = [
            element(
                "tr",
                element(
                    "td",
                    element("span", step.icon, aria_hidden="true"),
                    f" {step.name}",
                    unseen(f" {step.state}"),
                    style=whole,
                ),
                element("td", step.time, style=f"{whole}text-align:right;font-variant-numeric:tabular-nums"),
                element("td", step.detail, style=cell),
                style="background:none",
            )
            for step in self.steps.values()
        ]
        table = element("table", element("tbody", *rows), style=f"border-collapse:collapse;{FONT}{INK}")
        html = str(element("div", self.title, table, style=FONT + INK, role="status"))
        return {"text/plain": str(self), "text/html": html}

    def _tick(self) -> None:
        while not self._stop.wait(self.REDRAW):
            look = self._look
            if look is not None and time.perf_counter() >= self._show_from:
                self._note_seen(look())
            self._draw()

    def _note_seen(self, seen: str) -> None:
        with self._lock:
            # While one looks, what is seen may have ended.
            if self._look is not None and self._current is not None and seen:
                self._current.detail = seen

    def _draw(self, finished: _Step | None = None) -> None:
        if self._handle is None and time.perf_counter() < self._show_from:
            return
        if all(step.state == "waiting" for step in self.steps.values()):
            return  # what fails before the first step leaves its error alone
        if self._sink is not None:
            self._sink(self)
        elif self._face == "kernel":
            with self._lock:
                if self._handle is None:
                    from IPython.display import display

                    self._handle = display(self, display_id=True)
                else:
                    self._handle.update(self)
        elif self._face == "terminal" and finished is not None:
            sys.stderr.write(
                f"{finished.icon} {finished.name}  {finished.time}  {finished.detail}\n".rstrip(" ")
            )
            sys.stderr.flush()


def face() -> str:
    """Where progress can be shown: `kernel`, `terminal` or `none`."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is not None and getattr(shell, "kernel", None) is not None:
        return "kernel"
    return "terminal" if sys.stderr.isatty() else "none"
