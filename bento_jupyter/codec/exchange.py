"""One request as it passes through a service: where the middleware and the annotations meet."""

from __future__ import annotations

import secrets
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

__all__ = ["CURRENT", "Exchange", "Loan"]

#: Key of the object that stands for a value in a request's JSON.
REFERENCE = "$lent"


@dataclass(frozen=True)
class Loan:
    """A value that a reference stands for.

    Attributes:
        value: The value.
        live: True when it is a value; False when it is the JSON of one.
    """

    value: Any
    live: bool


@dataclass
class Exchange:
    """What the middleware and the annotations of one request hand to each other.

    Attributes:
        endpoint: Name of the endpoint.
        arrow: True when the caller takes Arrow and the answer may be a table.
        answer: The live answer, in a tuple of one; None = it is in the body.
        failure: Why the answer could not be written; "" otherwise.
        written: What `Typed` saw the body become: `json`, `text` or `bytes`; "" = nothing, it is not ours.
    """

    endpoint: str
    arrow: bool = False
    answer: tuple[Any] | None = None
    written: str = ""
    failure: str = ""
    _loans: dict[str, Loan] = field(default_factory=dict, repr=False)

    def lend(self, value: Any, *, live: bool) -> dict[str, str]:
        """A small JSON object that stands for a value within this request, and cannot be guessed."""
        token = secrets.token_hex(16)
        self._loans[token] = Loan(value, live)
        return {REFERENCE: token}

    def find(self, data: Any) -> Loan | None:
        """What `data` stands for; None when it stands for itself."""
        if isinstance(data, dict) and data.keys() == {REFERENCE} and isinstance(data[REFERENCE], str):
            return self._loans.get(data[REFERENCE])
        return None


#: The request that is being served.
CURRENT: ContextVar[Exchange | None] = ContextVar("exchange", default=None)
