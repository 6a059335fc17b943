"""Streams of a cloud that outlive it: after a break they go on where they were."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from ..errors import CloudUnreachableError
from ..views import DeploymentView, LogLine

if TYPE_CHECKING:
    from .cloud import Cloud

__all__ = ["Overlap", "changes", "followed_lines"]

#: Seconds between two tries to reach a cloud that does not answer.
RETRY = 0.5
#: Seconds between two looks at a cloud that tells of no changes.
POLL = 2.0
#: Seconds between two changes that are told, so that a busy deployment does not flood who looks.
PAUSE = 0.2
#: Newest lines that are remembered, to be told from new ones after a break.
REMEMBERED = 1000
#: Lines that are asked for after a break: those that were seen, and what came meanwhile.
ASKED_AGAIN = 20 * REMEMBERED
#: Seconds within which they come.
TOLD_WITHIN = 10.0


def followed_lines(open_stream: Callable[[int], Iterator[LogLine]], lines: int) -> Iterator[LogLine]:
    """Log lines without end and without repeats, also over restarts of the cloud.

    Args:
        open_stream: Opens the stream, with that many of the last lines first.
        lines: How many of the last lines come first.
    """
    seen: deque[LogLine] = deque(maxlen=REMEMBERED)
    while True:
        told = ASKED_AGAIN if seen else lines
        overlap = Overlap(seen, told)
        try:
            for line in open_stream(told):
                for new in overlap.new(line):
                    seen.append(new)
                    yield new
        except CloudUnreachableError:
            pass  # it was stopped, or restarts
        time.sleep(RETRY)


class Overlap:
    """Tells lines that were seen before a break from those that are new.

    The newest lines of a log are told again, then it goes on. What was seen is looked for in them: whole, or,
    where so much is new that its beginning is not told any more, its end at the beginning of what is told.

    Args:
        seen: The lines before the break, oldest first.
        told: How many lines are told again at most, of all sources.
        clock: Tells the time, in seconds: what comes long after the beginning is not told again, but new.

    Example:
        >>> line = lambda text: LogLine(source="a", text=text)
        >>> overlap = Overlap([line("y"), line("y")], told=4)
        >>> [new.text for text in "xyyz" for new in overlap.new(line(text))]
        ['z']
    """

    def __init__(
        self, seen: Iterable[LogLine], told: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._left = told
        self._clock, self._told_by = clock, clock() + TOLD_WITHIN
        self._seen: dict[str, list[str]] = {}
        for line in seen:
            self._seen.setdefault(line.source, []).append(line.text)
        #: What was told of sources that were seen, as long as its overlap is not known.
        self._kept: dict[str, list[LogLine]] = {source: [] for source in self._seen}

    def new(self, line: LogLine) -> list[LogLine]:
        """The new lines that are known as such once this one has come."""
        self._left -= 1
        kept = self._kept.get(line.source)
        if kept is None:
            new = [line]
        else:
            new = []
            kept.append(line)
            seen = self._seen[line.source]
            if kept[-1].text == seen[-1] and [each.text for each in kept[-len(seen) :]] == seen:
                del self._kept[line.source]
        if self._left == 0 or (
            self._kept and self._clock() > self._told_by
        ):  # from here on all is new; what was told before of others has its place now
            new = [each for source in list(self._kept) for each in self._resolved(source)] + new
        return new

    def _resolved(self, source: str) -> list[LogLine]:
        """What is new of a source of which not all that was seen is told again."""
        kept, seen = self._kept.pop(source), self._seen[source]
        texts = [line.text for line in kept]
        for length in range(min(len(texts), len(seen)), 0, -1):
            if seen[-length:] == texts[:length]:
                return kept[length:]
        if not kept:
            return []
        missed = (
            f"... more than {len(kept)} lines came while the cloud did not answer: some are not shown ..."
        )
        return [LogLine(at=kept[0].at, source=source, text=missed), *kept]


def changes(cloud: Cloud, name: str) -> Iterator[DeploymentView]:
    """A deployment as it is, then at each change, without end; each view once, a few per second at most.

    The embedded cloud tells of changes; others are asked every two seconds.

    Args:
        cloud: The cloud.
        name: Name of the deployment.

    Raises:
        NotFoundError: There is no such deployment (any more).
    """
    view = cloud.view(name)
    yield view
    while True:
        try:
            if not cloud.embedded:
                time.sleep(POLL)
                newer = cloud.view(name)
                if newer != view:
                    view = newer
                    yield view
                continue
            for event in cloud.events(after=view.event_id):
                # What the view has seen already, or what is about others, is no change.
                if event.id > view.event_id and (event.name == name or event.kind == "cloud"):
                    view = cloud.view(name)
                    yield view
                    time.sleep(PAUSE)
        except CloudUnreachableError:
            view = _when_back(cloud, name)
            yield view
        time.sleep(PAUSE)


def _when_back(cloud: Cloud, name: str) -> DeploymentView:
    """The deployment, as soon as a cloud that went away answers again."""
    while True:
        time.sleep(RETRY)
        try:
            return cloud.view(name)
        except CloudUnreachableError:
            continue
