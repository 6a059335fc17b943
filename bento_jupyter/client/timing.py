"""Where the time of a call went, as the gateway's `Server-Timing` tells it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Timing"]

#: Parts that are not phases of a cold start.
PARTS = ("queue", "cold", "upstream")


@dataclass(frozen=True)
class Timing:
    """Where the time of one call went, in seconds.

    Attributes:
        total: From sending to the whole answer.
        queue: Waiting for a free instance, in the deployment's queue.
        cold_start: Before that, waiting for the first instance to start; 0 when one was up.
        upstream: In the instance, until its answer began.
        phases: Of the cold start: `process`, `imports`, `load`, `ready`. They may be longer than
            `cold_start`: this request may have come when the start was under way.
    """

    total: float
    queue: float = 0.0
    cold_start: float = 0.0
    upstream: float = 0.0
    phases: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, total: float, header: str) -> Timing:
        """From the `Server-Timing` header that the gateway stamps (milliseconds).

        Example:
            >>> Timing.of(1.0, "queue;dur=100, cold;dur=500, imports;dur=400, upstream;dur=100").network
            0.3
        """
        spent = {
            found.group(1): float(found.group(2)) / 1000
            for found in re.finditer(r"([\w-]+)\s*;\s*dur=([0-9.]+)", header)
        }
        phases = {name: seconds for name, seconds in spent.items() if name not in PARTS}
        queue, cold, upstream = (spent.get(name, 0.0) for name in PARTS)
        return cls(total, queue, cold, upstream, phases)

    @property
    def network(self) -> float:
        """What is left: on the way, and reading and writing."""
        return round(max(0.0, self.total - self.queue - self.cold_start - self.upstream), 6)

    def parts(self) -> dict[str, float]:
        """The parts of `total` that took any time, in their order."""
        named = {
            "cold start": self.cold_start,
            "queue": self.queue,
            "instance": self.upstream,
            "network": self.network,
        }
        return {name: seconds for name, seconds in named.items() if seconds > 0}

    def __str__(self) -> str:
        if self.cold_start:
            return f"answered in {self.total:.2f} s, {self.cold_start:.2f} s of it held for the cold start"
        if self.queue >= 0.001:
            return f"answered in {_seconds(self.total)}, {_seconds(self.queue)} of it queued"
        return f"answered in {_seconds(self.total)}"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        from ..display.answers import timing_card

        return timing_card(self.total, self.parts(), self.phases if self.cold_start else {}, str(self))


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"
