"""How answers look in a cell: where their time went, streams as they grow, many calls, tasks, files."""

from __future__ import annotations

import base64
import mimetypes
import sys
import time
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from ..views import DeploymentView
from .markup import FONT, INK, Html, element
from .progress import Progress
from .tables import card_bundle
from .words import duration, size

__all__ = ["Counter", "StreamDisplay", "file_bundle", "task_card", "timing_card", "waiting_words"]

#: Characters of a bar of text.
WIDTH = 24
#: Signs and shades of the parts, in their order; each has its word beside it.
PARTS = {"queue": ("░", 0.35), "cold start": ("▒", 0.55), "instance": ("█", 1.0), "network": ("·", 0.2)}
BRAND = "var(--jp-brand-color1,#1976d2)"
#: Bytes of a file that a cell shows or plays; larger ones are only named.
SHOWN = 8 * 2**20


def timing_card(
    total: float, parts: Mapping[str, float], phases: Mapping[str, float], summary: str
) -> dict[str, Any]:
    """The mimebundle of one call's timing: a bar, and a row for each part.

    Args:
        total: Seconds in all.
        parts: Seconds of each part.
        phases: Seconds of the phases of the cold start.
        summary: All that in a sentence.
    """
    whole = sum(parts.values()) or 1.0
    bar = "".join(PARTS[name][0] * max(1, round(WIDTH * seconds / whole)) for name, seconds in parts.items())
    rows = [
        (name, f"{duration(seconds)}  {PARTS[name][0]} {seconds / whole:.0%}")
        for name, seconds in parts.items()
    ]
    if phases:
        said = ", ".join(f"{name} {duration(seconds)}" for name, seconds in phases.items())
        rows.append(("start", said))
    data = {"total": total, "parts": dict(parts), "phases": dict(phases)}
    bundle = card_bundle("Timing", summary, rows, data, picture=_strip(parts, whole))
    first, _, rest = bundle["text/plain"].partition("\n")
    return {**bundle, "text/plain": f"{first}\n  {bar}\n{rest}".rstrip()}


def _strip(parts: Mapping[str, float], whole: float) -> Html:
    """The parts side by side, each as wide as it took long."""
    at, strips = 0.0, []
    for name, seconds in parts.items():
        width = 1000 * seconds / whole
        shade = f"fill:{BRAND};fill-opacity:{PARTS[name][1]}"
        strips.append(element("rect", x=at, y=0, width=width, height=10, style=shade))
        at += width
    return element(
        "svg",
        *strips,
        xmlns="http://www.w3.org/2000/svg",
        viewBox="0 0 1000 10",
        width=1000,
        height=10,
        preserveAspectRatio="none",
        aria_hidden="true",
        style="display:block;width:100%;margin-bottom:4px;",
    )


def waiting_words(view: DeploymentView) -> str:
    """What a call that is not answered yet waits for."""
    if view.ready == 0:
        return "held while an instance starts" + (f": {view.reason}" if view.reason else "")
    if view.queued:
        return f"{view.queued} requests wait in the queue, {view.in_flight} are worked on"
    return "the instance works on it"


def task_card(endpoint: str, task_id: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """The mimebundle of a task.

    Args:
        endpoint: Name of its endpoint.
        task_id: Its id.
        told: What the deployment answered about it.
    """
    status = str(told.get("status", ""))
    icon = {"pending": "◌", "in_progress": "◐", "completed": "✓", "failed": "✕", "canceled": "○"}
    following = {
        "completed": ".result() has the answer",
        "failed": ".result() says why, .retry() has it done again",
        "canceled": ".retry() has it done again",
    }
    rows = [
        ("id", task_id),
        ("submitted", str(told.get("created_at") or "")),
        ("begun", str(told.get("executed_at") or "")),
        ("next", following.get(status, ".result(timeout=60) waits, .cancel() ends it")),
    ]
    return card_bundle(
        f"Task of {endpoint}", f"{icon.get(status, '?')} {status.replace('_', ' ')}", rows, dict(told)
    )


class Counter(Progress):
    """The progress of many calls: a bar with how many are done and failed.

    Args:
        title: What is under way.
        total: How many there are; None = not known.
        parallel: How many go on at a time.
        quiet: Show nothing.
    """

    STEP = "calls"

    def __init__(self, title: str, total: int | None, parallel: int, *, quiet: bool = False) -> None:
        super().__init__(title, [self.STEP], quiet=quiet, after=0.5)
        self.total = total
        self.parallel = parallel
        self._running = self.step(self.STEP)

    def __enter__(self) -> Counter:
        super().__enter__()
        self._running.__enter__()
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        try:
            self._running.__exit__(kind, error, trace)
        finally:
            super().__exit__(kind, error, trace)

    def count(self, done: int, failed: int) -> None:
        """Say how many calls are done, and how many of them failed."""
        words = f"{done} of {self.total}" if self.total is not None else f"{done}"
        if self.total:
            full = round(WIDTH * done / self.total)
            words = f"{'█' * full}{'░' * (WIDTH - full)} {words}"
        if failed:
            words += f", {failed} failed"
        self.note(f"{words}, {self.parallel} at a time")


class StreamDisplay:
    """A stream in the cell as it comes; at its end one line, since the value itself is shown then.

    Args:
        title: What is told.
    """

    #: Seconds between two updates, at least.
    PACE = 0.1
    #: Characters that are shown of a long stream: its end.
    LONGEST = 20_000

    def __init__(self, title: str) -> None:
        self.title = title
        self.parts: list[Any] = []
        self._text = ""
        self._shown = 0.0
        self._handle: Any = None
        ipython = sys.modules.get("IPython")
        shell = ipython.get_ipython() if ipython is not None else None
        self._in_kernel = shell is not None and getattr(shell, "kernel", None) is not None

    def show(self, parts: Iterable[Any]) -> Any:
        """Show the parts as they come; gives the whole stream: text and bytes in one, else a list.

        Raises:
            Exception: What the stream raises; what came before it stays to be seen.
        """
        begun = time.perf_counter()
        try:
            for part in parts:
                self.parts.append(part)
                self._text += part if isinstance(part, str) else f"{part!r}\n"
                self._draw()
        except BaseException as error:
            count = len(self.parts)
            self._draw(end=f"[{'stopped' if isinstance(error, KeyboardInterrupt) else 'broke off'} after "
                       f"{count} part{'' if count == 1 else 's'}]")  # fmt: skip
            raise
        self._end(time.perf_counter() - begun)
        if self.parts and all(isinstance(part, str) for part in self.parts):
            return "".join(self.parts)
        if self.parts and all(isinstance(part, bytes) for part in self.parts):
            return b"".join(self.parts)
        return self.parts

    def _draw(self, end: str = "") -> None:
        now = time.perf_counter()
        if not self._in_kernel:
            return
        if now < self._shown + self.PACE and not end:
            return
        self._shown = now
        shown = self._text[-self.LONGEST :]
        text = f"{shown}\n{end}" if end else shown
        self._put(
            {"text/plain": text, "text/html": f'<pre style="white-space:pre-wrap">{escape(text)}</pre>'}
        )

    def _end(self, seconds: float) -> None:
        if self._in_kernel and self._handle is not None:
            said = f"{self.title}: {len(self.parts)} parts in {duration(seconds)}"
            self._put({"text/plain": said, "text/html": str(element("div", said, style=FONT + INK))})

    def _put(self, bundle: dict[str, Any]) -> None:
        from IPython.display import display

        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)


def file_bundle(content: bytes, name: str) -> dict[str, Any]:
    """The mimebundle of a file that an endpoint answered: named, and shown or played where a browser can.

    Args:
        content: Its bytes.
        name: Its name; "" = none was told.
    """
    kind = mimetypes.guess_type(name)[0] or _kind_of(content)
    said = f"{name or 'file'}  {kind}, {size(len(content))}"
    bundle: dict[str, Any] = {"text/plain": said, "text/html": str(element("div", said, style=FONT + INK))}
    if len(content) <= SHOWN and kind.startswith(("audio/", "image/", "video/")):
        data = f"data:{kind};base64,{base64.b64encode(content).decode()}"
        tag = kind.partition("/")[0]
        bundle["text/html"] += (
            f'<img alt="{escape(name)}" src="{data}">'
            if tag == "image"
            else f'<{tag} controls src="{data}"></{tag}>'
        )
    return bundle


def _kind_of(content: bytes) -> str:
    if content[:4] == b"RIFF" and content[8:12] == b"WAVE":
        return "audio/wav"
    known = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif",
             b"ID3": "audio/mpeg", b"OggS": "audio/ogg", b"fLaC": "audio/flac",
             b"%PDF": "application/pdf"}  # fmt: skip
    return next(
        (kind for start, kind in known.items() if content.startswith(start)), "application/octet-stream"
    )
