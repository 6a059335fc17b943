"""What to do about instances that fail: when to try again, and when to give up."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Failures"]

#: Seconds until a new start after the 1st, 2nd, ... failure in a row.
BACK_OFF = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
#: Failures in a row after which a blueprint that was never ready is given up.
GIVE_UP_AFTER = 3
#: Seconds after which an instance that is ready counts as well: the failures before it are forgotten.
HEALTHY_AFTER = 60.0


@dataclass
class Failures:
    """The failures in a row of the instances of one blueprint.

    Attributes:
        count: How many.
        reason: Why the newest one failed.
        not_before: When the next start may be tried; a time of the loop's clock.
        given_up: Why it is not tried any more; "" = it is.
        was_ready: An instance was ready once.
    """

    count: int = 0
    reason: str = ""
    not_before: float = 0.0
    given_up: str = ""
    was_ready: bool = False

    def add(self, reason: str, now: float, ready_at: float | None) -> None:
        """An instance failed, which was ready since `ready_at`, or never (None)."""
        if ready_at is not None and now - ready_at >= HEALTHY_AFTER:
            self.count = 0
        self.count += 1
        self.reason = reason
        self.not_before = now + BACK_OFF[min(self.count, len(BACK_OFF)) - 1]
        if self.count >= GIVE_UP_AFTER and not self.was_ready:
            self.given_up = f"the Bento does not start: {reason}"

    def is_ready(self, now: float, ready_at: float) -> float | None:
        """An instance is ready, the newest one since `ready_at`.

        Returns:
            When to look again, to forget the failures; None = there are none (any more).
        """
        self.was_ready = True
        if now - ready_at >= HEALTHY_AFTER:
            self.count = 0
        return ready_at + HEALTHY_AFTER if self.count else None

    def try_again(self) -> None:
        """Somebody asked for it anew."""
        self.count, self.reason, self.not_before, self.given_up = 0, "", 0.0, ""
