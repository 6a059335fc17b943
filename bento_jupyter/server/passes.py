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
        >>> word = passes.issue("iris", cloud="team")
        >>> passes.cloud_of(word, "iris"), passes.cloud_of(word, "other"), passes.cloud_of("guess", "iris")
        ('team', None, None)
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._issued: dict[str, tuple[str, str, float]] = {}

    def issue(self, name: str, cloud: str = "") -> str:
        """A new pass to the pages of the deployment `name` of a cloud."""
        now = self._clock()
        self._issued = {word: each for word, each in self._issued.items() if each[2] > now}
        word = secrets.token_urlsafe(24)
        self._issued[word] = (name, cloud, now + _GOOD_FOR)
        return word

    def cloud_of(self, word: str, name: str) -> str | None:
        """In which cloud this is a pass to the pages of `name`, for another hour now; None = it is none."""
        now = self._clock()
        known, cloud, until = self._issued.get(word, ("", "", 0.0))
        if known != name or until <= now:
            return None
        self._issued[word] = (name, cloud, now + _GOOD_FOR)
        return cloud
