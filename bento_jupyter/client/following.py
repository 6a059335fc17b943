"""Streams of a cloud that outlive it: after a break they go on where they were."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
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


def followed_lines(open_stream: Callable[[int], Iterator[LogLine]], lines: int) -> Iterator[LogLine]:
    """Log lines without end and without repeats, also over restarts of the cloud.

    Args:
        open_stream: Opens the stream, with that many of the last lines first.
        lines: How many of the last lines come first.
    """
    seen: deque[LogLine] = deque(maxlen=REMEMBERED)
    while True:
        overlap = Overlap(seen)
        try:
            for line in open_stream(lines if not seen else len(seen)):
                for new in overlap.new(line):
                    seen.append(new)
                    yield new
        except CloudUnreachableError:
            pass  # it was stopped, or restarts
        time.sleep(RETRY)


class Overlap:
    """Tells lines that were seen before a break from those that are new.

    A log is told again from a line that was seen already up to its end, then goes on. Lines may be equal, so
    what repeats most of what was seen is taken for the repeat.

    Args:
        seen: The lines before the break, oldest first.

    Example:
        >>> line = lambda text: LogLine(source="a", text=text)
        >>> overlap = Overlap([line("x"), line("y"), line("y")])
        >>> [new.text for text in "yyyz" for new in overlap.new(line(text))]
        ['y', 'z']
    """

    def __init__(self, seen: Iterator[LogLine] | deque[LogLine] | list[LogLine]) -> None:
        self._seen: dict[str, list[str]] = {}
        for line in seen:
            self._seen.setdefault(line.source, []).append(line.text)
        #: Per source, the places in what was seen that the next line may repeat; the lines kept back.
        self._places: dict[str, list[int]] = {
            name: list(range(len(all_))) for name, all_ in self._seen.items()
        }
        self._kept: dict[str, list[LogLine]] = {}

    def new(self, line: LogLine) -> list[LogLine]:
        """The new lines that are known as such once this one has come."""
        seen, places = self._seen.get(line.source, []), self._places.get(line.source)
        if not places:
            return [line]
        kept = self._kept.setdefault(line.source, [])
        kept.append(line)
        going_on = [place + 1 for place in places if place < len(seen) and seen[place] == line.text]
        complete = len(seen) in going_on
        unfinished = [place for place in going_on if place < len(seen)]
        self._places[line.source] = unfinished
        if complete:
            kept.clear()  # all of them repeat what was seen, up to its end
        elif not unfinished:
            self._kept[line.source] = []
            return kept
        return []


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
