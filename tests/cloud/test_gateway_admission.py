"""The queue: first-in first-out, never above the cap, nobody lost, nobody waiting beside a free slot."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bento_jupyter.cloud.gateway.admission import Admission

REPLICAS = ["a", "b", "c"]


class Queue(RuleBasedStateMachine):
    """All that can happen to a queue, in any order, beside a list that says what should come of it."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = Admission[int](concurrency=2, capacity=8)
        self.next = 0
        self.expected: list[int] = []
        self.again: set[int] = set()
        self.held: list[tuple[int, str]] = []
        self.listed: set[str] = set()
        self.suspended: set[str] = set()
        self.drained: list[str] = []
        self.done: set[int] = set()

    def pump(self) -> None:
        while (pair := self.queue.admit()) is not None:
            request, replica = pair
            assert request == self.expected.pop(0)
            self.again.discard(request)
            assert replica in self.listed - self.suspended
            least = min(self.busy(other) for other in self.listed - self.suspended)
            assert self.busy(replica) == least
            self.held.append(pair)

    def busy(self, replica: str) -> int:
        return sum(holder == replica for _, holder in self.held)

    @rule()
    def arrive(self) -> None:
        accepted = self.queue.enqueue(self.next)
        assert accepted == (len(self.expected) < 8)
        if accepted:
            self.expected.append(self.next)
        else:
            self.done.add(self.next)
        self.next += 1
        self.pump()

    @precondition(lambda self: self.expected)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        request = data.draw(st.sampled_from(self.expected))
        assert self.queue.withdraw(request)
        assert not self.queue.withdraw(request)
        self.expected.remove(request)
        self.again.discard(request)
        self.done.add(request)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), again=st.booleans())
    def give_back(self, data: st.DataObject, again: bool) -> None:
        request, replica = pair = data.draw(st.sampled_from(self.held))
        self.held.remove(pair)
        if again:
            self.queue.enqueue_first(request, rank=request)  # in the order in which they came
            first = [other for other in self.expected if other in self.again]
            self.expected = sorted([*first, request]) + self.expected[len(first) :]
            self.again.add(request)
        else:
            self.done.add(request)
        last = self.queue.release(replica)
        assert last == (replica not in self.listed and self.busy(replica) == 0)
        self.pump()

    @rule(replicas=st.sets(st.sampled_from(REPLICAS)))
    def set_replicas(self, replicas: set[str]) -> None:
        idle_and_gone = sorted(r for r in self.listed - replicas if self.busy(r) == 0)
        assert self.queue.set_replicas(replicas) == idle_and_gone
        self.listed, self.suspended = replicas, set()
        self.pump()

    @precondition(lambda self: self.listed)
    @rule(data=st.data())
    def suspend(self, data: st.DataObject) -> None:
        replica = data.draw(st.sampled_from(sorted(self.listed)))
        assert self.queue.suspend(replica) == (replica not in self.suspended)
        self.suspended.add(replica)

    @rule(replica=st.sampled_from(REPLICAS))
    def resume(self, replica: str) -> None:
        self.queue.resume(replica)
        self.suspended.discard(replica)
        self.pump()

    @rule(concurrency=st.sampled_from([1, 2, 3]))
    def change_concurrency(self, concurrency: int) -> None:
        self.queue.concurrency = concurrency
        self.pump()

    @invariant()
    def nobody_is_lost(self) -> None:
        held = [request for request, _ in self.held]
        assert sorted([*held, *self.expected, *self.done]) == list(range(self.next))
        assert (self.queue.waiting, self.queue.in_flight) == (len(self.expected), len(self.held))
        assert self.queue.head() == (self.expected[0] if self.expected else None)
        assert self.queue.has_replica == bool(self.listed)

    @invariant()
    def nobody_waits_beside_a_free_slot(self) -> None:
        if self.expected:
            assert all(self.busy(r) >= (self.queue.concurrency or 0) for r in self.listed - self.suspended)

    @invariant()
    def slots_are_counted_by_replica(self) -> None:
        assert {r: n for r, n in self.queue.per_replica.items() if n} == {
            r: self.busy(r) for r in REPLICAS if self.busy(r)
        }


Queue.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestQueue = Queue.TestCase


def test_no_replica_ever_has_more_than_concurrency_requests() -> None:
    queue = Admission[int](concurrency=3)
    queue.set_replicas(["a", "b"])
    for request in range(20):
        queue.enqueue(request)
    admitted = list(iter(queue.admit, None))
    assert [request for request, _ in admitted] == list(range(6))
    assert queue.per_replica == {"a": 3, "b": 3}
    assert queue.waiting == 14


def test_without_a_cap_everything_is_admitted_evenly() -> None:
    queue = Admission[int](concurrency=None)
    queue.set_replicas(["a", "b"])
    for request in range(10):
        queue.enqueue(request)
        assert queue.admit() is not None
    assert queue.per_replica == {"a": 5, "b": 5}


def test_among_equals_the_one_that_has_rested_longest_is_next() -> None:
    queue = Admission[int]()
    queue.set_replicas(["a", "b", "c"])
    order = []
    for request in range(6):
        queue.enqueue(request)
        _, replica = queue.admit() or (None, "")
        queue.release(replica)
        order.append(replica)
    assert order == ["a", "b", "c", "a", "b", "c"]


def test_a_replica_named_again_while_it_is_drained_gets_requests_again() -> None:
    queue = Admission[int](concurrency=1)
    queue.set_replicas(["a"])
    queue.enqueue(1)
    queue.admit()
    assert queue.set_replicas([]) == []
    assert not queue.has_replica
    assert queue.set_replicas(["a"]) == []
    assert queue.release("a") is False
    queue.enqueue(2)
    assert queue.admit() == (2, "a")
