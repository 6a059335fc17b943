"""Figures in words: ages, durations, sizes, and the icon of each status."""

from __future__ import annotations

from datetime import datetime

from ..spec import Status, utc_now
from ..views import ColdStart

__all__ = [
    "STATUS_ICONS",
    "age",
    "clock",
    "cold_start_words",
    "counted",
    "duration",
    "moment",
    "size",
    "status_tone",
    "status_words",
]

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


def status_tone(status: Status) -> str:
    """`good`, `busy`, `warn`, `bad` or "", for the edge of a card.

    Example:
        >>> status_tone(Status.RUNNING)
        'good'
    """
    return {"●": "good", "◐": "busy", "◑": "busy", "▲": "warn", "✕": "bad"}.get(STATUS_ICONS[status], "")


def moment(at: datetime) -> str:
    """A point in time on this machine's clock, with its zone.

    Example:
        >>> from datetime import timezone
        >>> len(moment(datetime(2026, 5, 4, 3, 2, 1, tzinfo=timezone.utc)).split())
        3
    """
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def clock(at: datetime) -> str:
    """The time of day on this machine."""
    return at.astimezone().strftime("%H:%M:%S")


def counted(number: int, noun: str) -> str:
    """A number of things.

    Example:
        >>> counted(1, "request"), counted(1200, "request")
        ('1 request', '1,200 requests')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """A duration a person reads at a glance.

    Example:
        >>> [duration(s) for s in (0.0123, 1.5, 60, 75, 7300)]
        ['12 ms', '1.5 s', '1 min', '1 min 15 s', '2 h 1 min']
    """
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return _two(minutes, "min", rest, "s")
    hours, minutes = divmod(minutes, 60)
    return _two(hours, "h", minutes, "min") if hours < 48 else _two(hours // 24, "d", hours % 24, "h")


def _two(number: int, unit: str, rest: int, smaller: str) -> str:
    return f"{number} {unit}" + (f" {rest} {smaller}" if rest else "")


def cold_start_words(cold_start: ColdStart | None) -> str:
    """`1.42 s (process 30 ms, imports 900 ms, ...)`; "" without one."""
    if cold_start is None:
        return ""
    phases = ", ".join(f"{name} {duration(seconds)}" for name, seconds in cold_start.phases.items())
    return f"{cold_start.seconds:.2f} s" + (f" ({phases})" if phases else "")


def age(at: datetime, *, now: datetime | None = None) -> str:
    """How long ago, or how long until then, in its largest unit: `12 s`, `3 min`, `5 h`, `9 d`."""
    seconds = abs(((now or utc_now()) - at).total_seconds())
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
