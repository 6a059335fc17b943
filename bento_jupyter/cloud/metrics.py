"""What a deployment's requests and instances were like: now, and over the last day, in memory.

Nothing runs on a clock: a point is made when something happens, so an idle deployment costs nothing.
"""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any

from ..insight import InstanceColdStart, MetricsPoint, MetricsView
from ..views import ColdStart
from .latency import Histogram

__all__ = ["SPANS", "Metrics", "Totals"]

#: What is kept: seconds per point -> points.
SPANS = {1: 15 * 60, 60: 24 * 60}
#: Cold starts that are kept.
KEPT_COLD_STARTS = 50


@dataclass(frozen=True, slots=True)
class _Levels:
    """What holds until it changes."""

    in_flight: int = 0
    queued: int = 0
    ready: int = 0

    def highest(self, other: _Levels) -> _Levels:
        return _Levels(
            max(self.in_flight, other.in_flight),
            max(self.queued, other.queued),
            max(self.ready, other.ready),
        )


@dataclass(slots=True)
class _Point:
    """One second, or one minute: what was counted, the highest levels in it, and those at its end."""

    begin: int
    highest: _Levels
    end: _Levels
    requests: int = 0
    errors: int = 0
    latency: Histogram = field(default_factory=Histogram)

    def view(self) -> MetricsPoint:
        return MetricsPoint(
            at=datetime.fromtimestamp(self.begin, timezone.utc),
            requests=self.requests,
            errors=self.errors,
            in_flight=self.highest.in_flight,
            queued=self.highest.queued,
            ready=self.highest.ready,
            latency=self.latency.quantiles(),
        )


class _Series:
    """Points of one length, newest last."""

    def __init__(self, step: int, most: int) -> None:
        self.step = step
        self._most = most
        self._points: deque[_Point] = deque()

    def at(self, now: float, present: _Levels) -> _Point:
        """The point of this time; a new one begins with the levels that are `present`."""
        begin = int(now // self.step) * self.step
        if not self._points or self._points[-1].begin < begin:
            self._points.append(_Point(begin, present, present))
            self._forget(begin)
        return self._points[-1]

    def views(self, now: float) -> list[MetricsPoint]:
        """All that are still kept, oldest first; where nothing was noted, what a point says holds."""
        begin = int(now // self.step) * self.step
        self._forget(begin)
        found: list[MetricsPoint] = []
        for point, following in itertools.zip_longest(self._points, itertools.islice(self._points, 1, None)):
            found.append(point.view())
            quiet_until = begin + self.step if following is None else following.begin
            if point.begin + self.step < quiet_until and point.end != point.highest:
                found.append(_Point(point.begin + self.step, point.end, point.end).view())
        return found

    def _forget(self, begin: int) -> None:
        oldest = begin - self._most * self.step
        while self._points and self._points[0].begin <= oldest:
            self._points.popleft()


@dataclass(frozen=True)
class Totals:
    """What was counted since the deployment was created or the cloud started.

    Attributes:
        requests: Requests answered.
        errors: Those of them answered with 5xx.
        latency: How long they took.
        cold_starts: How long instances took to be ready.
    """

    requests: int
    errors: int
    latency: Histogram
    cold_starts: Histogram


class Metrics:
    """The metrics of one deployment.

    Args:
        clock: Seconds since the epoch.

    Example:
        >>> metrics = Metrics()
        >>> metrics.load({"in_flight": 1, "waiting": 0, "requests": 5, "errors": 0, "latency": {"20": 5}})
        >>> metrics.view().requests
        5
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._series = [_Series(step, most) for step, most in SPANS.items()]
        self._levels = _Levels()
        self._requests = self._errors = 0
        self._latency = Histogram()
        #: By set: totals of its last message, and what was under way then.
        self._before: dict[str, tuple[int, int]] = {}
        self._busy: dict[str, tuple[int, int]] = {}
        self._cold_starts: deque[InstanceColdStart] = deque(maxlen=KEPT_COLD_STARTS)
        self._all_cold_starts = Histogram()

    def load(self, message: Mapping[str, Any], source: str = "main") -> None:
        """Take a `load` message of the gateway: totals since it started, and latencies since the last one.

        Args:
            message: The message.
            source: Which set of replicas it is about; they add up.
        """
        before = self._before.get(source, (0, 0))
        requests = max(0, int(message["requests"]) - before[0])
        errors = max(0, int(message["errors"]) - before[1])
        self._before[source] = (int(message["requests"]), int(message["errors"]))
        self._busy[source] = (int(message["in_flight"]), int(message["waiting"]))
        latency = {int(bucket): int(count) for bucket, count in (message.get("latency") or {}).items()}
        self._requests += requests
        self._errors += errors
        self._latency.merge(latency)
        for point in self._change(self._with_busy()):
            point.requests += requests
            point.errors += errors
            point.latency.merge(latency)

    def gateway_restarted(self) -> None:
        """Its totals begin at 0 again, and nothing is under way."""
        self._before.clear()
        self._busy.clear()
        self._note_busy()

    def forget(self, source: str) -> None:
        """A set of replicas is gone: nothing of it is under way, and one of that name begins at 0 again."""
        self._before.pop(source, None)
        self._busy.pop(source, None)
        self._note_busy()

    def instances(self, ready: int) -> None:
        """Note how many instances are ready."""
        if ready != self._levels.ready:
            self._change(replace(self._levels, ready=ready))

    def cold_start(self, instance: str, cold_start: ColdStart) -> None:
        """Note how an instance came up."""
        self._cold_starts.append(InstanceColdStart(instance=instance, **cold_start.model_dump()))
        self._all_cold_starts.add(cold_start.seconds)

    def totals(self) -> Totals:
        """What was counted, for those who keep histories of their own."""
        return Totals(self._requests, self._errors, self._latency, self._all_cold_starts)

    def view(self, step: int = 1) -> MetricsView:
        """All of it.

        Args:
            step: Seconds per point: 1 or 60.
        """
        series = next(each for each in self._series if each.step == step)
        return MetricsView(
            requests=self._requests,
            errors=self._errors,
            in_flight=self._levels.in_flight,
            queued=self._levels.queued,
            ready=self._levels.ready,
            latency=self._latency.quantiles(),
            cold_starts=list(self._cold_starts),
            step=step,
            points=series.views(self._clock()),
        )

    def _with_busy(self) -> _Levels:
        """The present levels, with what is under way in all sets."""
        in_flight = sum(busy[0] for busy in self._busy.values())
        return replace(self._levels, in_flight=in_flight, queued=sum(busy[1] for busy in self._busy.values()))

    def _note_busy(self) -> None:
        if (levels := self._with_busy()) != self._levels:
            self._change(levels)

    def _change(self, levels: _Levels) -> list[_Point]:
        """Note levels from now on; gives the points of now."""
        now = self._clock()
        points = [series.at(now, self._levels) for series in self._series]
        self._levels = levels
        for point in points:
            point.highest, point.end = point.highest.highest(levels), levels
        return points
