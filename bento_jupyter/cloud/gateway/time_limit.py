"""One time limit for many: a single timer, whatever their number."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

__all__ = ["Limited", "TimeLimit"]


class Limited(Protocol):
    """Who has to be done in time: an exchange."""

    def timed_out(self) -> None:
        """The time is over."""

    def __hash__(self) -> int:
        raise NotImplementedError


class TimeLimit:
    """Tells those who are not done in time, in the order in which they began.

    All have the same time, so the one that began first is the first to be told: one timer, set for that one,
    does for all. Nearly everybody is done long before, and costs an entry in a dictionary.

    Args:
        loop: Where the timer runs.
        seconds: Gives the time that each has, whenever it is needed.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: Callable[[], float]) -> None:
        self._loop = loop
        self._seconds = seconds
        self._began: dict[Limited, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, who: Limited, now: float) -> None:
        """The time of `who` begins, at `time.monotonic()` = `now`."""
        self._began[who] = now
        if self._timer is None:
            self._timer = self._loop.call_later(self._seconds(), self._look)

    def end(self, who: Limited) -> None:
        """It is done; that it is told once, or has never begun, does not matter."""
        self._began.pop(who, None)

    def changed(self) -> None:
        """All have another time now, also those that have begun."""
        if self._timer is not None:
            self._timer.cancel()
            self._look()

    def _look(self) -> None:
        self._timer = None
        # A timer may fire a clock tick early.
        latest = time.monotonic() - self._seconds() + 0.001
        while self._began:
            who = next(iter(self._began))
            if self._began[who] > latest:
                self._timer = self._loop.call_later(self._began[who] - latest, self._look)
                return
            del self._began[who]
            who.timed_out()
