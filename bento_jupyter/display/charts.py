"""Small charts of a deployment's metrics: inline SVG that follows the theme, and blocks of text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..insight import MetricsPoint, MetricsView
from .markup import BORDER, FONT, INK, MUTED, Html, element, tone_color
from .words import clock

__all__ = ["Series", "panels", "sparkline", "timeline"]

_BLOCKS = "▁▂▃▄▅▆▇█"
#: Points of a chart, and width and height of a panel in pixels.
COLUMNS, WIDTH, HEIGHT = 60, 480, 44
_FULL, _SOFT = 1.0, 0.45


@dataclass(frozen=True)
class Series:
    """Values over time.

    Attributes:
        name: In words.
        values: One per column; None = nothing to say.
        kind: `bars`, `line` or `steps`.
        tone: Its color, see `markup.tone_color`.
        faint: Drawn fainter than others of the same color.
    """

    name: str
    values: Sequence[float | None]
    kind: str = "bars"
    tone: str = "busy"
    faint: bool = False

    @property
    def peak(self) -> float:
        """The largest value; 0 without any."""
        return max((value for value in self.values if value is not None), default=0.0)


def sparkline(values: Sequence[float | None]) -> str:
    """Values as blocks; what is zero or unknown is a dot.

    Example:
        >>> sparkline([0, 1, 4, 8, None])
        '·▁▄█·'
    """
    top = max((value for value in values if value), default=0.0)
    return "".join(
        _BLOCKS[max(0, round(value / top * len(_BLOCKS)) - 1)] if value else "·" for value in values
    )


def timeline(view: MetricsView, now: datetime) -> tuple[datetime, list[list[MetricsPoint]], timedelta]:
    """The points in columns of equal length up to now: beginning, points of each, and length."""
    step = timedelta(seconds=view.step)
    first = min((point.at for point in view.points), default=now - step)
    each = max(1, -(-int((now - first) / step + 1) // COLUMNS))
    length = each * step
    begin = now - COLUMNS * length
    columns: list[list[MetricsPoint]] = [[] for _ in range(COLUMNS)]
    for point in view.points:
        place = int((point.at - begin) / length)
        columns[min(max(place, 0), COLUMNS - 1)].append(point)
    return begin, columns, length


def held(columns: Sequence[Sequence[MetricsPoint]], of: Callable[[MetricsPoint], int]) -> list[float | None]:
    """A figure that holds until the next point says another, at its most in each column."""
    values: list[float | None] = []
    newest = 0
    for points in columns:
        values.append(float(max([newest, *map(of, points)])) if points else float(newest))
        newest = of(points[-1]) if points else newest
    return values


def panels(rows: Sequence[tuple[str, str, Sequence[Series]]], begin: datetime, end: datetime) -> Html:
    """Panels one below the other on the same time axis.

    Args:
        rows: For each its title, the words at its right, and its series, which share a scale.
        begin: Time of the left edge.
        end: Time of the right edge.
    """
    drawn = [
        element(
            "div",
            element(
                "div",
                element("span", title),
                element("span", words, style=MUTED),
                style="display:flex;justify-content:space-between;gap:12px;font-size:85%;",
            ),
            _panel(title, words, series),
            style="margin:6px 0 0;",
        )
        for title, words, series in rows
    ]
    axis = element(
        "div",
        element("span", clock(begin)),
        element("span", clock(end)),
        style=f"display:flex;justify-content:space-between;font-size:85%;{MUTED}",
    )
    return element("div", *drawn, axis, style=f"max-width:{WIDTH}px;margin-bottom:8px;{FONT}{INK}")


def _panel(title: str, words: str, series: Sequence[Series]) -> Html:
    top = max((each.peak for each in series), default=0.0) or 1.0
    marks = [mark for each in series for mark in _marks(each, top)]
    floor = element(
        "line", x1=0, x2=WIDTH, y1=HEIGHT - 0.5, y2=HEIGHT - 0.5, style=f"stroke:{BORDER};stroke-width:1"
    )
    return element(
        "svg",
        floor,
        *marks,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        width=WIDTH,
        height=HEIGHT,
        preserveAspectRatio="none",
        role="img",
        aria_label=f"{title}: {words}",
        style="display:block;width:100%;",
    )


def _marks(series: Series, top: float) -> list[Html]:
    wide = WIDTH / len(series.values)
    color, strength = tone_color(series.tone), _SOFT if series.faint else _FULL

    def height(value: float) -> float:
        return (HEIGHT - 4) * value / top

    if series.kind == "bars":
        return [
            element(
                "rect",
                x=place * wide + 0.5,
                y=HEIGHT - max(1.5, height(value)),
                width=wide - 1,
                height=max(1.5, height(value)),
                style=f"fill:{color};opacity:{strength}",
            )
            for place, value in enumerate(series.values)
            if value
        ]
    if series.kind == "steps":
        path = "".join(
            f"L{place * wide:.5g} {HEIGHT - height(value or 0):.5g}H{(place + 1) * wide:.5g}"
            for place, value in enumerate(series.values)
        )
        style = f"fill:{color};fill-opacity:.3;stroke:{color};stroke-width:1.5"
        return [element("path", d=f"M0 {HEIGHT}{path}V{HEIGHT}Z", style=style)]
    # A line is broken where nothing is known; a lone point is a dot.
    dots = [
        element(
            "circle",
            cx=(place + 0.5) * wide,
            cy=HEIGHT - height(value),
            r=1.8,
            style=f"fill:{color};opacity:{strength}",
        )
        for place, value in enumerate(series.values)
        if value is not None
    ]
    lines = [
        element(
            "line",
            x1=(place + 0.5) * wide,
            y1=HEIGHT - height(left),
            x2=(place + 1.5) * wide,
            y2=HEIGHT - height(right),
            style=f"stroke:{color};stroke-width:1.5;opacity:{strength}",
        )
        for place, (left, right) in enumerate(zip(series.values, series.values[1:], strict=False))
        if left is not None and right is not None
    ]
    return lines + dots
