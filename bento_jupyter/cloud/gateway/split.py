"""Which version of a deployment a request goes to: BentoCloud's canary routing. Pure but for the dice."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

from .heads import RequestHead

__all__ = ["MAIN", "Split"]

#: The version, and its set of replicas, that gets what no other one gets.
MAIN = "main"
#: What clients ask about the deployment as a whole: the main version answers.
_ABOUT_ALL = frozenset({b"/readyz", b"/livez"})


@dataclass(frozen=True)
class Split:
    """How requests are shared out among the versions of a deployment.

    Attributes:
        by: `random`, `header` or `query`: what decides. The last two are sticky: the same value always goes
            to the same version, as long as the shares stay; a request without it goes by chance.
        key: Name of that header or query parameter.
        shares: Sets of replicas with the percentage of requests that each gets; the main one gets the rest.

    Example:
        >>> Split("random", "", (("b", 100),)).point(b"") < 100
        True
    """

    by: str = "random"
    key: str = ""
    shares: tuple[tuple[str, float], ...] = ()

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> Split:
        """The split that a `route` message carries.

        Raises:
            KeyError, TypeError, ValueError: It is not one of the contract.
        """
        shares = tuple((str(name), float(percent)) for name, percent in message["shares"])
        return cls(str(message["by"]), str(message["key"]), shares)

    def choose(self, head: RequestHead) -> str:
        """The set of replicas that a request goes to."""
        if not self.shares or head.path in _ABOUT_ALL:
            return MAIN
        point = self.point(self._value(head))
        for name, percent in self.shares:
            if point < percent:
                return name
            point -= percent
        return MAIN

    def point(self, value: bytes | None) -> float:
        """Where on the scale from 0 to 100 a value lies; None = anywhere."""
        if value is None:
            return random.random() * 100  # noqa: S311
        digest = hashlib.blake2b(value, digest_size=8).digest()
        return int.from_bytes(digest, "big") / 2**64 * 100

    def _value(self, head: RequestHead) -> bytes | None:
        if self.by == "header":
            return head.any_field(self.key.lower().encode())
        if self.by == "query":
            for pair in head.target.partition(b"?")[2].split(b"&"):
                name, _, value = pair.partition(b"=")
                if unquote_to_bytes(name) == self.key.encode():
                    return unquote_to_bytes(value.replace(b"+", b" "))
        return None
