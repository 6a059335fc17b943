"""How much deployments were asked lately, in as few numbers as a sparkline has points."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ..errors import NotFoundError
from ..insight import MetricsPoint, MetricsView
from ..spec import utc_now
from .payloads import Traffic, TrafficItem

if TYPE_CHECKING:
    from .link import CloudLink

__all__ = ["summary", "traffic_of"]

#: How many points, and for how many seconds each stands: together what the cloud has by second.
PARTS, PART_SECONDS = 45, 20
#: Over how many seconds the rate is taken.
RATE_SECONDS = 30


async def traffic_of(link: CloudLink, names: Sequence[str]) -> Traffic:
    """The traffic of some deployments; those that are no more are left out.

    Raises:
        CloudError: The cloud does not answer.
    """
    found = await asyncio.gather(*(_of(link, name) for name in names))
    return Traffic(items=[item for item in found if item is not None])


async def _of(link: CloudLink, name: str) -> TrafficItem | None:
    try:
        metrics = await link.get(MetricsView, f"/deployments/{name}/metrics")
    except NotFoundError:
        return None
    rate, points = summary(metrics.points, utc_now())
    return TrafficItem(name=name, rate=rate, points=points)


def summary(points: Sequence[MetricsPoint], now: datetime) -> tuple[float, list[int]]:
    """Requests per second over the last half minute, and requests in each part of a quarter of an hour.

    Args:
        points: One per second in which something happened.
        now: When it is asked.

    Example:
        >>> summary([], utc_now())[0]
        0.0
    """
    parts = [0] * PARTS
    lately = 0
    for point in points:
        seconds_ago = max(0.0, (now - point.at).total_seconds())
        if seconds_ago < RATE_SECONDS:
            lately += point.requests
        part = PARTS - 1 - int(seconds_ago // PART_SECONDS)
        if part >= 0:
            parts[part] += point.requests
    return round(lately / RATE_SECONDS, 3), parts
