"""What a deployment's requests and instances were like: now, and over the last day, in memory.

Nothing runs on a clock: a point is made when something happens, so an idle deployment costs nothing.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from ..spec import ColdStart, InstanceColdStart, MetricsPoint, MetricsView
from .latency import Histogram

__all__ = ["SPANS", "Metrics"]

#: What is kept: seconds per point -> points.
SPANS = {1: 15 * 60, 60: 24 * 60}
#: Cold starts that are kept.
KEPT_COLD_STARTS = 50


@dataclass(slots=True)
class _Point:
    """One second, or one minute."""

    begin: int
    requests: int = 0
    errors: int = 0
    in_flight: int = 0
    queued: int = 0
    ready: int = 0
    latency: Histogram = field(default_factory=Histogram)

    def view(self) -> MetricsPoint:
        return MetricsPoint(
            at=datetime.fromtimestamp(self.begin, timezone.utc),
            requests=self.requests,
            errors=self.errors,
            in_flight=self.in_flight,
            queued=self.queued,
            ready=self.ready,
            latency=self.latency.quantiles(),
        )


class _Series:
    """Points of one length, newest last."""

    def __init__(self, step: int, most: int) -> None:
        self.step = step
        self._most = most
        self._points: deque[_Point] = deque()

    def at(self, now: float, present: _Point) -> _Point:
        """The point of this time; a new one begins with what is `present`: levels hold until they change."""
        begin = int(now // self.step) * self.step
        if not self._points or self._points[-1].begin < begin:
            self._points.append(
                _Point(begin, in_flight=present.in_flight, queued=present.queued, ready=present.ready)
            )
            self._forget(begin)
        return self._points[-1]

    def views(self, now: float) -> list[MetricsPoint]:
        """All that are still kept, oldest first."""
        self._forget(int(now // self.step) * self.step)
        return [point.view() for point in self._points]

    def _forget(self, begin: int) -> None:
        oldest = begin - self._most * self.step
        while self._points and self._points[0].begin <= oldest:
            self._points.popleft()


class Metrics:
    """The metrics of one deployment, or of one of its versions.

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
        self._present = _Point(0)
        self._before = (0, 0)
        self._cold_starts: deque[InstanceColdStart] = deque(maxlen=KEPT_COLD_STARTS)

    def load(self, message: Mapping[str, Any]) -> None:
        """Take a `load` message of the gateway: totals since it started, and latencies since the last one."""
        # Points that begin now begin with the levels of before.
        present, points = self._present, self._points()
        requests = max(0, int(message["requests"]) - self._before[0])
        errors = max(0, int(message["errors"]) - self._before[1])
        self._before = (int(message["requests"]), int(message["errors"]))
        latency = {int(bucket): int(count) for bucket, count in (message.get("latency") or {}).items()}
        present.requests += requests
        present.errors += errors
        present.latency.merge(latency)
        present.in_flight, present.queued = int(message["in_flight"]), int(message["waiting"])
        for point in points:
            point.requests += requests
            point.errors += errors
            point.latency.merge(latency)
            point.in_flight = max(point.in_flight, present.in_flight)
            point.queued = max(point.queued, present.queued)

    def gateway_restarted(self) -> None:
        """Its totals begin at 0 again, and nothing is under way."""
        self._before = (0, 0)
        self._present.in_flight = self._present.queued = 0

    def instances(self, ready: int) -> None:
        """Note how many instances are ready."""
        if ready != self._present.ready:
            # The point of a change shows the higher number, and those after it the new one.
            points = self._points()
            self._present.ready = ready
            for point in points:
                point.ready = max(point.ready, ready)

    def cold_start(self, instance: str, cold_start: ColdStart) -> None:
        """Note how an instance came up."""
        self._cold_starts.append(InstanceColdStart(instance=instance, **cold_start.model_dump()))

    def view(self, step: int = 1) -> MetricsView:
        """All of it.

        Args:
            step: Seconds per point: 1 or 60.
        """
        present, now = self._present, self._clock()
        series = next(each for each in self._series if each.step == step)
        return MetricsView(
            requests=present.requests,
            errors=present.errors,
            in_flight=present.in_flight,
            queued=present.queued,
            ready=present.ready,
            latency=present.latency.quantiles(),
            cold_starts=list(self._cold_starts),
            step=step,
            points=series.views(now),
        )

    def _points(self) -> list[_Point]:
        now = self._clock()
        return [series.at(now, self._present) for series in self._series]
