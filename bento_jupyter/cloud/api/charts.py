"""Metrics over time as inline SVG, each with its numbers in words beside it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ...insight import MetricsPoint, MetricsView
from ...spec import utc_now
from .html import Html, tag

__all__ = ["Line", "chart", "metric_charts"]

WIDTH, HEIGHT = 360, 120
LEFT, RIGHT, TOP, BOTTOM = 48, 6, 8, 20
#: Points that a chart shows; seconds are put together to fit.
SHOWN = 150
COLOURS = ("one", "two", "three")
MARKS = ("—", "- -", "···")
DASHES = (None, "6 3", "2 3")


@dataclass(frozen=True)
class Line:
    """One line of a chart: its name and its values, oldest first; None = there is none."""

    name: str
    values: Sequence[float | None]


def metric_charts(metrics: MetricsView, now: float) -> Html:
    """The charts of a deployment.

    Args:
        metrics: What is known.
        now: Seconds since the epoch; the right end of the charts.
    """
    seconds = 15 * 60 if metrics.step == 1 else 24 * 3600
    width = seconds // SHOWN
    columns = _columns(metrics, now, seconds, width)
    span = "15 min" if metrics.step == 1 else "24 h"
    requests = [
        Line("answered", [each.requests / width for each in columns]),
        Line("failed (5xx)", [each.errors / width for each in columns]),
    ]
    latency = [Line(name, [each.latency.get(name) for each in columns]) for name in ("p50", "p95", "p99")]
    load = [
        Line("in flight", [each.in_flight for each in columns]),
        Line("queued", [each.queued for each in columns]),
    ]
    return tag(
        "div",
        chart("Requests per second", requests, "/s", span),
        chart("Latency", latency, "s", span),
        chart("Requests under way", load, "", span),
        chart("Ready instances", [Line("ready", [each.ready for each in columns])], "", span),
        class_="charts",
    )


@dataclass
class _Column:
    """What several points come to."""

    requests: int = 0
    errors: int = 0
    in_flight: int = 0
    queued: int = 0
    ready: int = 0
    latency: dict[str, float] = field(default_factory=dict)

    def add(self, point: MetricsPoint) -> None:
        self.requests += point.requests
        self.errors += point.errors
        self.in_flight = max(self.in_flight, point.in_flight)
        self.queued = max(self.queued, point.queued)
        self.ready = max(self.ready, point.ready)
        for name, value in point.latency.items():
            self.latency[name] = max(self.latency.get(name, 0.0), value)


def _columns(metrics: MetricsView, now: float, seconds: int, width: int) -> list[_Column]:
    begin = now - seconds
    points: dict[int, list[MetricsPoint]] = {}
    for point in metrics.points:
        points.setdefault(min(SHOWN - 1, int((point.at.timestamp() - begin) // width)), []).append(point)
    # Levels hold until the next point; without any, nothing has changed for long.
    level = MetricsPoint(at=utc_now(), ready=0 if points else metrics.ready)
    columns = []
    for index in range(SHOWN):
        column = _Column(in_flight=level.in_flight, queued=level.queued, ready=level.ready)
        for point in points.get(index, []):
            column.add(point)
            level = point
        columns.append(column)
    return columns


def chart(title: str, lines: Sequence[Line], unit: str, span: str) -> Html:
    """A line chart.

    Args:
        title: What it shows.
        lines: At most three, of equal length.
        unit: Of the values, e.g. `s`.
        span: What the whole width stands for, e.g. `15 min`.
    """
    values = [value for line in lines for value in line.values if value is not None]
    top = max(values, default=0.0) or 1.0
    drawn = [
        tag("path", class_=f"line {colour}", d=_path(line.values, top), stroke_dasharray=dashes)
        for line, colour, dashes in zip(lines, COLOURS, DASHES, strict=False)
    ]
    base = HEIGHT - BOTTOM
    marks = [
        tag("line", class_="grid", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y)
        for y in (TOP, (TOP + base) // 2, base)
    ]
    labels = [
        tag("text", _number(top, unit), x=LEFT - 6, y=TOP + 4, text_anchor="end"),
        tag("text", _number(0, unit), x=LEFT - 6, y=base + 4, text_anchor="end"),
        tag("text", f"{span} ago", x=LEFT, y=HEIGHT - 5),
        tag("text", "now", x=WIDTH - RIGHT, y=HEIGHT - 5, text_anchor="end"),
    ]
    legend = [
        tag("li", tag("span", mark, " ", class_=colour), _words(line, unit))
        for line, colour, mark in zip(lines, COLOURS, MARKS, strict=False)
    ]
    summary = f"{title}, last {span}: " + "; ".join(_words(line, unit) for line in lines)
    picture = tag(
        "svg", marks, drawn, labels, viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=summary
    )
    return tag("figure", tag("figcaption", title), picture, tag("ul", legend, class_="legend"))


def _path(values: Sequence[float | None], top: float) -> str:
    """The line through the values, broken where there is none; a value alone is a short dash."""
    step = (WIDTH - LEFT - RIGHT) / max(1, len(values) - 1)
    height = HEIGHT - TOP - BOTTOM
    parts: list[str] = []
    pen_is_down = False
    for index, value in enumerate(values):
        if value is None:
            pen_is_down = False
            continue
        x, y = LEFT + index * step, TOP + height * (1 - value / top)
        parts.append(f"{'L' if pen_is_down else 'M'}{x:.1f} {y:.1f}")
        if not pen_is_down:
            parts.append("h1.5")
        pen_is_down = True
    return "".join(parts)


def _words(line: Line, unit: str) -> str:
    known = [value for value in line.values if value is not None]
    if not known:
        return f"{line.name}: none"
    return f"{line.name}: now {_number(known[-1], unit)}, most {_number(max(known), unit)}"


def _number(value: float, unit: str) -> str:
    if unit == "s":
        return f"{value * 1000:.3g} ms" if value < 1 else f"{value:.3g} s"
    return f"{value:.3g}{unit}"
