"""The requests of one deployment, as the gateway tells of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..spec import utc_now

__all__ = ["Load"]


@dataclass
class Load:
    """What is known about the requests of a deployment.

    Attributes:
        in_flight: Requests being worked on.
        waiting: Requests that wait.
        requests: Requests answered since the cloud started.
        errors: Those of them answered with 5xx.
        per_replica: Requests per instance.
        admitted: Requests that were given to instances since the gateway started.
        last_at: When one came or was answered last; None = none did.
    """

    in_flight: int = 0
    waiting: int = 0
    requests: int = 0
    errors: int = 0
    per_replica: dict[str, int] = field(default_factory=dict)
    admitted: int = 0
    last_at: datetime | None = None
    _before: tuple[int, int] = (0, 0)

    def take(self, message: Mapping[str, Any]) -> bool:
        """Take a `load` message.

        Returns:
            True when instances got requests since the one before, and none of those is left. What the
            gateway refused by itself (no token, for one) is no reason to keep an instance.
        """
        admitted = int(message["admitted"])
        passed, self.admitted = admitted > self.admitted, admitted
        if passed or int(message["waiting"]) > self.waiting:
            self.last_at = utc_now()
        self.requests = self._before[0] + int(message["requests"])
        self.errors = self._before[1] + int(message["errors"])
        self.in_flight, self.waiting = int(message["in_flight"]), int(message["waiting"])
        self.per_replica = {str(key): int(count) for key, count in message["per_replica"].items()}
        return passed and not self.in_flight and not self.waiting

    def gateway_restarted(self) -> None:
        """Its totals begin at 0 again, and all its connections are gone."""
        self._before = (self.requests, self.errors)
        self.in_flight = self.waiting = self.admitted = 0
        self.per_replica = {}
