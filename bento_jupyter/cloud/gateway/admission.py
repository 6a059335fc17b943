"""Who is next, and where to: the queue of one deployment. Pure: no clock, no sockets, no loop.

First-in first-out among the waiting; least in flight among the replicas, and among equals the one that has
rested longest. `Admission.admit` is called after every change, so nobody waits while a slot is free.
"""

from __future__ import annotations

import bisect
import itertools
from collections import OrderedDict
from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

__all__ = ["Admission"]

Request = TypeVar("Request", bound=Hashable)


class _Slots:
    """What one replica has to do."""

    __slots__ = ("draining", "in_flight", "suspended", "turn")

    def __init__(self) -> None:
        self.in_flight = 0
        self.turn = 0
        self.draining = False
        self.suspended = False


class Admission(Generic[Request]):
    """A bounded queue in front of replicas with a bounded number of slots each.

    Args:
        concurrency: Requests that a replica works on at a time; None = no limit.
        capacity: Requests that may wait.

    Attributes:
        concurrency: As given; may be changed at any time.
        capacity: As given; may be changed at any time.
        in_flight: Slots in use.

    Example:
        >>> queue = Admission[str](concurrency=1, capacity=2)
        >>> queue.set_replicas(["r1"])
        []
        >>> queue.enqueue("a"), queue.enqueue("b"), queue.admit(), queue.admit()
        (True, True, ('a', 'r1'), None)
        >>> queue.release("r1"), queue.admit()
        (False, ('b', 'r1'))
    """

    def __init__(self, *, concurrency: int | None = None, capacity: int = 10_000) -> None:
        self.concurrency = concurrency
        self.capacity = capacity
        self.in_flight = 0
        #: Those that go before all others: rank, number (no two are equal), request; sorted.
        self._first: list[tuple[float, int, Request]] = []
        self._numbers = itertools.count()
        self._waiting: OrderedDict[Request, None] = OrderedDict()
        self._replicas: dict[str, _Slots] = {}
        self._turn = 0

    @property
    def waiting(self) -> int:
        """Requests that wait."""
        return len(self._first) + len(self._waiting)

    @property
    def is_empty(self) -> bool:
        """True when nobody waits."""
        return not self._waiting and not self._first

    @property
    def has_replica(self) -> bool:
        """True when there is a replica that may get requests, busy or not."""
        return any(not slots.draining for slots in self._replicas.values())

    @property
    def per_replica(self) -> dict[str, int]:
        """Slots in use by replica, those that are drained included."""
        return {replica: slots.in_flight for replica, slots in self._replicas.items()}

    def head(self) -> Request | None:
        """The one that has waited longest; None when nobody waits."""
        return self._first[0][2] if self._first else next(iter(self._waiting), None)

    def enqueue(self, request: Request, *, always: bool = False) -> bool:
        """Let a request wait at the end; False when the queue is full, unless it is to wait `always`."""
        if self.waiting >= self.capacity and not always:
            return False
        self._waiting[request] = None
        return True

    def enqueue_first(self, request: Request, rank: float) -> None:
        """Let a request wait before all others, for another try.

        It had a place before, so it always gets one. Among such requests the lowest `rank` is first: that is
        when they came, so that they keep their order whatever order they come back in.
        """
        bisect.insort(self._first, (rank, next(self._numbers), request))

    def withdraw(self, request: Request) -> bool:
        """Let a request leave the queue; False when it was not in it."""
        if request in self._waiting:
            del self._waiting[request]
            return True
        for index, (_, _, each) in enumerate(self._first):
            if each == request:
                del self._first[index]
                return True
        return False

    def enter(self) -> str | None:
        """A slot for one who comes while nobody waits: the replica; None when it has to wait."""
        return None if self._waiting or self._first else self._take_slot()

    def admit(self) -> tuple[Request, str] | None:
        """Give the head of the queue a slot; None when nobody waits or no slot is free."""
        if self.is_empty:
            return None
        replica = self._take_slot()
        if replica is None:
            return None
        request = self._first.pop(0)[2] if self._first else self._waiting.popitem(last=False)[0]
        return request, replica

    def _take_slot(self) -> str | None:
        best: str | None = None
        chosen: _Slots | None = None
        concurrency = self.concurrency
        for replica, slots in self._replicas.items():
            if slots.draining or slots.suspended:
                continue
            if concurrency is not None and slots.in_flight >= concurrency:
                continue
            if (
                chosen is None
                or slots.in_flight < chosen.in_flight
                or (slots.in_flight == chosen.in_flight and slots.turn < chosen.turn)
            ):
                best, chosen = replica, slots
        if chosen is None:
            return None
        self._turn += 1
        chosen.turn = self._turn
        chosen.in_flight += 1
        self.in_flight += 1
        return best

    def release(self, replica: str) -> bool:
        """Give a slot back.

        Returns:
            True when that was the last slot of a replica that is being drained, which is forgotten by now.
        """
        slots = self._replicas[replica]
        slots.in_flight -= 1
        self.in_flight -= 1
        if slots.draining and not slots.in_flight:
            del self._replicas[replica]
            return True
        return False

    def set_replicas(self, replicas: Iterable[str]) -> list[str]:
        """Say which replicas may get requests from now on.

        Those that are missing are drained: no new requests, forgotten when their last slot is released.

        Returns:
            The missing ones that had no slot in use, already forgotten.
        """
        wanted = list(replicas)
        for replica in wanted:
            slots = self._replicas.setdefault(replica, _Slots())
            slots.draining = slots.suspended = False
        drained: list[str] = []
        for replica in self._replicas.keys() - set(wanted):
            slots = self._replicas[replica]
            slots.draining = True
            if not slots.in_flight:
                del self._replicas[replica]
                drained.append(replica)
        return sorted(drained)

    def suspend(self, replica: str) -> bool:
        """Give a replica no new requests until `resume` or the next `set_replicas`.

        Returns:
            False when that is so already, or there is no such replica.
        """
        slots = self._replicas.get(replica)
        if slots is None or slots.suspended:
            return False
        slots.suspended = True
        return True

    def resume(self, replica: str) -> None:
        """End a suspension."""
        slots = self._replicas.get(replica)
        if slots is not None:
            slots.suspended = False
