"""Figures in words: ages, durations, sizes, and the icon of each status."""

from __future__ import annotations

from datetime import datetime

from ..spec import Status, utc_now

__all__ = ["STATUS_ICONS", "age", "duration", "size", "status_words"]

#: One sign per status; the word always stands beside it.
STATUS_ICONS = {
    Status.RUNNING: "●",
    Status.SCALED_TO_ZERO: "◌",
    Status.DEPLOYING: "◐",
    Status.IMAGE_BUILDING: "◐",
    Status.IMAGE_BUILD_SUCCEEDED: "◐",
    Status.TERMINATING: "◑",
    Status.TERMINATED: "○",
    Status.UNHEALTHY: "▲",
    Status.FAILED: "✕",
    Status.IMAGE_BUILD_FAILED: "✕",
    Status.NON_DEPLOYED: "○",
    Status.UNKNOWN: "?",
}


def status_words(status: Status) -> str:
    """Icon and word.

    Example:
        >>> status_words(Status.RUNNING)
        '● running'
    """
    return f"{STATUS_ICONS[status]} {status.value}"


def duration(seconds: float) -> str:
    """A duration a person reads at a glance.

    Example:
        >>> [duration(s) for s in (0.0123, 1.5, 75, 7300)]
        ['12 ms', '1.5 s', '1 min 15 s', '2 h 1 min']
    """
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} d {hours % 24} h"


def age(at: datetime, *, now: datetime | None = None) -> str:
    """How long ago, in its largest unit: `12 s`, `3 min`, `5 h`, `9 d`."""
    seconds = max(0.0, ((now or utc_now()) - at).total_seconds())
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return f"{int(seconds)} s"


def size(number: float | None) -> str:
    """Bytes in binary units.

    Example:
        >>> size(123456789)
        '117.7 MiB'
    """
    if number is None:
        return ""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(number) < 1024:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} TiB"
