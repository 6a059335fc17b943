"""Hints that something changed, few enough for browsers to follow."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from pydantic import BaseModel, Field

__all__ = ["Coalescer", "Hint"]


class Hint(BaseModel):
    """What changed since the last hint; fits `events/deployments.v1.yaml`.

    Attributes:
        context: Name of the cloud; "" for the embedded one.
        names: The deployments that changed.
        cloud: True when the cloud itself came, went or changed.
        event_id: Id of the newest event in this hint; 0 when there is none.
    """

    context: str = ""
    names: list[str] = Field(default_factory=list)
    cloud: bool = False
    event_id: int = 0

    def __or__(self, other: Hint) -> Hint:
        """Both hints, about one cloud, in one."""
        return Hint(
            context=self.context,
            names=sorted({*self.names, *other.names}),
            cloud=self.cloud or other.cloud,
            event_id=max(self.event_id, other.event_id),
        )


class Coalescer:
    """Passes the first hint on at once and what follows shortly after as one.

    Args:
        emit: Takes the hints that are passed on.
        interval: Least time between two of them, in seconds.
    """

    def __init__(self, emit: Callable[[Hint], None], interval: float = 0.2) -> None:
        self._emit = emit
        self._interval = interval
        self._pending: Hint | None = None
        self._timer: asyncio.TimerHandle | None = None

    def add(self, hint: Hint) -> None:
        """Pass `hint` on, now or with others; to be called on the event loop."""
        self._pending = hint if self._pending is None else self._pending | hint
        if self._timer is None:
            self._flush()

    def close(self) -> None:
        """Drop what is pending."""
        self._pending = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _flush(self) -> None:
        self._timer = None
        if self._pending is None:
            return
        hint, self._pending = self._pending, None
        self._timer = asyncio.get_running_loop().call_later(self._interval, self._flush)
        self._emit(hint)
