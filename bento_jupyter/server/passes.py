"""Passes: unguessable words in the addresses of pages, which stand for a user who was logged in."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Final

__all__ = ["Passes"]

#: Seconds for which a pass is good after it was last used.
_GOOD_FOR: Final = 3600.0


class Passes:
    """The passes to the pages of deployments; each is for one, and good for an hour after its last use.

    Args:
        clock: Tells the time, in seconds.

    Example:
        >>> passes = Passes()
        >>> word = passes.issue("iris")
        >>> passes.is_good(word, "iris"), passes.is_good(word, "other"), passes.is_good("guess", "iris")
        (True, False, False)
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._issued: dict[str, tuple[str, float]] = {}

    def issue(self, name: str) -> str:
        """A new pass to the pages of the deployment `name`."""
        now = self._clock()
        self._issued = {word: each for word, each in self._issued.items() if each[1] > now}
        word = secrets.token_urlsafe(24)
        self._issued[word] = (name, now + _GOOD_FOR)
        return word

    def is_good(self, word: str, name: str) -> bool:
        """Is this a pass to the pages of `name`? If so it is good for another hour."""
        now = self._clock()
        known, until = self._issued.get(word, ("", 0.0))
        if known != name or until <= now:
            return False
        self._issued[word] = (name, now + _GOOD_FOR)
        return True
