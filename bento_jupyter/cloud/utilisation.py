"""How busy the CPUs of a set's instances are, smoothed; looked at only while there are requests."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["SETTLING", "Utilisation"]

#: Seconds between two looks.
INTERVAL = 1.0
#: Share of the newest look in what is told: a peak of a second is no need of another instance.
WEIGHT = 0.3
#: What is told as nothing.
LEAST = 0.01
#: Seconds from its readiness until an instance counts: before, its start is in what was measured.
SETTLING = 3.0


class Utilisation:
    """The CPU use of a set.

    Attributes:
        value: CPU in use, in instances: 1.5 = one has nothing left, another one half.

    Example:
        >>> cpu = Utilisation()
        >>> again_at = cpu.look(10.0, 5, busy=True, measure=lambda: 2.0)
        >>> cpu.value, again_at
        (0.6, 11.0)
    """

    def __init__(self) -> None:
        self.value = 0.0
        self._admitted = 0
        self._look_at = 0.0

    def look(self, now: float, admitted: int, *, busy: bool, measure: Callable[[], float]) -> float | None:
        """Look, if it is time to.

        Args:
            now: Time of a clock that never goes back.
            admitted: Requests that instances were given so far. What instances do while there are none
                (their start, threads of their own) is no reason for more of them.
            busy: Whether they have requests now.
            measure: Gives what they use now, in instances.

        Returns:
            When to look again; None = not before there are requests.
        """
        if now >= self._look_at:
            worked = busy or admitted != self._admitted
            self._admitted = admitted
            used = measure() if worked else 0.0
            self.value += WEIGHT * (used - self.value)
            if self.value < LEAST and not worked:
                self.value = 0.0
                return None
            self._look_at = now + INTERVAL
        return self._look_at
