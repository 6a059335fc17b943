"""The metrics of a deployment as a card with a small chart, in text with the same figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ..insight import MetricsPoint, MetricsView
from ..spec import utc_now
from .charts import Series, held, panels, sparkline, timeline
from .tables import card_bundle
from .words import cold_start_words, counted, duration

__all__ = ["Metrics", "metrics_card"]


class Metrics(MetricsView):
    """Metrics as a cell shows them.

    Attributes:
        name: Of the deployment.
        at: As of when.
    """

    name: str
    at: datetime

    @classmethod
    def of(cls, name: str, view: MetricsView) -> Metrics:
        """The metrics of the deployment `name`, as of now."""
        return cls.model_construct(**dict(view), name=name, at=utc_now())

    def __repr__(self) -> str:
        return str(self._repr_mimebundle_()["text/plain"])

    __str__ = __repr__

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return metrics_card(self)


def metrics_card(view: Metrics) -> dict[str, Any]:
    """The mimebundle of metrics: figures, and what they were over time."""
    begin, columns, length = timeline(view, view.at)
    seconds = length.total_seconds()
    requests = [float(sum(point.requests for point in points)) for points in columns]
    errors = [float(sum(point.errors for point in points)) for points in columns]
    waiting = held(columns, lambda point: point.queued)
    working = held(columns, lambda point: point.in_flight)
    ready = held(columns, lambda point: point.ready)
    slow, usual = (quantile(columns, name) for name in ("p95", "p50"))
    peak = max(requests)
    said = {
        "requests": counted(view.requests, "request") + (f", {view.errors} failed" if view.errors else ""),
        "latency": ", ".join(f"{name} {duration(value)}" for name, value in view.latency.items()),
        "instances": f"{view.ready} ready",
        "load": f"{view.in_flight} in flight, {view.queued} waiting",
    }
    starts = [cold_start_words(start) for start in view.cold_starts[-1:]]
    rows = [
        ("requests", said["requests"]),
        ("", _spark(requests, f"most in {seconds:g} s: {peak:g}")),
        ("failed", _spark(errors, "")),
        ("latency", said["latency"]),
        ("", _spark(slow, "p95")),
        ("instances", said["instances"]),
        ("", _spark(ready, f"most: {max(value or 0 for value in ready):g}")),
        ("load", said["load"]),
        ("", _spark(waiting, f"most waiting: {max(value or 0 for value in waiting):g}")),
        ("cold starts", ", the newest ".join([counted(len(view.cold_starts), "cold start"), *starts])),
    ]
    title, badge = f"Metrics of {view.name}", f"last {duration(seconds * len(columns))}"
    chart = panels(
        [
            (
                "requests",
                said["requests"],
                [Series("answered", requests), Series("failed", errors, tone="bad")],
            ),
            (
                "latency (p95, p50 fainter)",
                said["latency"] or "no requests",
                [
                    Series("p95", slow, "line", "warn"),
                    Series("p50", usual, "line", "warn", faint=True),
                ],
            ),
            ("instances", said["instances"], [Series("ready", ready, "steps", "good")]),
            (
                "in flight, waiting",
                said["load"],
                [Series("in flight", working, "steps"), Series("waiting", waiting, "bars", "warn")],
            ),
        ],
        begin,
        view.at,
    )
    data = view.model_dump(mode="json")
    text = card_bundle(title, badge, rows, data, at=view.at)["text/plain"]
    figures = [(label, value) for label, value in rows if label and value and value[0] not in "·▁▂▃▄▅▆▇█"]
    return {**card_bundle(title, badge, figures, data, at=view.at, picture=chart), "text/plain": text}


def quantile(columns: Sequence[Sequence[MetricsPoint]], name: str) -> list[float | None]:
    """The slowest quantile of each column; None where nothing was asked."""
    found = [[point.latency[name] for point in points if name in point.latency] for points in columns]
    return [max(values) if values else None for values in found]


def _spark(values: Sequence[float | None], words: str) -> str:
    return f"{sparkline(values)}  {words}".rstrip() if any(values) else ""
