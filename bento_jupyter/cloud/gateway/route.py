"""One set of replicas as callers meet it: who may come in, who waits, who is next, what is counted."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from ..hosts import is_trusted_host
from ..latency import Histogram
from .admission import Admission
from .cors import Cors
from .heads import RequestHead
from .responses import (
    Answer,
    alive,
    cold_start_timeout,
    deployment_closed,
    foreign_host,
    no_metrics,
    queue_full,
    unauthorized,
)
from .split import MAIN, Split
from .time_limit import TimeLimit
from .upstream import Replica

__all__ = ["Policy", "Route", "Visitor", "Waiting"]

#: Seconds between two `load` messages of one deployment, at least.
_REPORT_INTERVAL = 0.05
#: Seconds for which a replica that was lost gets no requests, unless the control plane names it again before.
_SUSPENSION = 1.0
#: Seconds until a `/readyz` is refused: the `bentoml` client asks again at once, for as long as its timeout.
_READYZ_PAUSE = 0.5
#: What is answered without a token: clients ask these before they know anything, and hammer when refused.
_OPEN_PATHS = frozenset({b"/readyz", b"/livez"})
#: What can be answered while there is no replica, without waking one.
_KNOWN_PATHS = frozenset({b"/livez", b"/metrics", b"/schema.json", b"/docs.json"})


@dataclass(frozen=True)
class Policy:
    """How a set of replicas is to be reached: the `route` message.

    Attributes:
        port: Port of the listener; 0 = any free one; None = it has none: only the main set has.
        concurrency: Requests that a replica works on at a time; None = no limit.
        queue: Requests that may wait; 429 above.
        timeout: Seconds from admission until the answer begins; 504 after. Also seconds for which a caller
            may take in nothing of its answer; its connection is broken off after.
        cold_start_timeout: Seconds that a request may wait; 503 after.
        protected: Callers need a token.
        tokens: SHA-256 of the tokens accepted, as hex.
        closed: Why nobody is let in; None = open.
        host: Address of the listener.
        hosts: Names besides addresses and `localhost` that `Host` may carry, against web pages that reach
            for this machine under a name of their own; None = any.
        socket: Path of the Unix socket where other services of the same deployment call; None = none do.
        split: Of the main set: which requests go to other sets instead.
        owner: Id of the deployment, which its tasks are kept under.
        tasks: Paths of the methods that can be run as tasks.
        content: What the set is made of; kept answers of another content are not given.
        schema: What `/schema.json` answers while there is no replica; None = a replica has to.
        retries: A request whose replica is lost before it answers is given to another one.
        cors: Which web pages may read what is answered about tasks; None = those of the same origin.
    """

    port: int | None
    concurrency: int | None = None
    queue: int = 10_000
    timeout: float = 60.0
    cold_start_timeout: float = 300.0
    protected: bool = False
    tokens: frozenset[str] = frozenset()
    closed: str | None = None
    host: str = "127.0.0.1"
    hosts: frozenset[str] | None = None
    socket: str | None = None
    split: Split = field(default_factory=Split)
    owner: str = ""
    tasks: frozenset[bytes] = frozenset()
    content: str = ""
    schema: bytes | None = None
    retries: bool = True
    cors: Cors | None = None

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> Policy:
        """The policy that a `route` message carries; what it leaves out is as by default.

        Raises:
            KeyError: There is no port.
            ValueError, TypeError: A value is not what it should be.
        """
        concurrency = message.get("concurrency")
        closed, hosts = message.get("closed"), message.get("hosts")
        port, socket, split = message["port"], message.get("socket"), message.get("split")
        schema = message.get("schema")
        return cls(
            port=None if port is None else int(port),
            concurrency=None if concurrency is None else max(1, int(concurrency)),
            queue=max(1, int(message.get("queue", cls.queue))),
            timeout=float(message.get("timeout", cls.timeout)),
            cold_start_timeout=float(message.get("cold_start_timeout", cls.cold_start_timeout)),
            protected=bool(message.get("protected", False)),
            tokens=frozenset(str(token).lower() for token in message.get("tokens", ())),
            closed=None if closed is None else str(closed),
            host=str(message.get("host") or cls.host),
            hosts=None if hosts is None else frozenset(map(str, hosts)),
            socket=None if socket is None else str(socket),
            split=Split() if split is None else Split.from_message(split),
            owner=str(message.get("owner") or ""),
            tasks=frozenset(str(path).encode() for path in message.get("tasks", ())),
            content=str(message.get("content") or ""),
            schema=None if schema is None else str(schema).encode(),
            retries=bool(message.get("retries", True)),
            cors=Cors.from_config(message.get("cors")),
        )

    def accepts(self, authorization: bytes | None) -> bool:
        """True when this value of `Authorization` carries one of the tokens."""
        scheme, _, token = (authorization or b"").partition(b" ")
        if scheme.lower() != b"bearer":
            return False
        # By its hash: how long the look-up takes tells nothing of any token.
        return hashlib.sha256(token.strip()).hexdigest() in self.tokens


class Waiting(Protocol):
    """Who waits for a slot: an exchange, or a task."""

    @property
    def arrived(self) -> float:
        """When it began to wait."""
        raise NotImplementedError

    def admitted(self, replica: Replica) -> None:
        """A slot of this replica is yours."""

    def refused(self, answer: Answer) -> None:
        """You will not get a slot; the caller is to be told this."""

    def __hash__(self) -> int:
        raise NotImplementedError


class Visitor(Waiting, Protocol):
    """Who comes from outside: an exchange."""

    head: RequestHead


class Route:
    """One set of replicas: those of one service in one version of a deployment.

    Args:
        deployment: The deployment's name.
        policy: How it is to be reached.
        send: Takes messages for the control plane.
        name: The set's name.
    """

    def __init__(
        self,
        deployment: str,
        policy: Policy,
        send: Callable[[dict[str, Any]], None],
        name: str = MAIN,
    ) -> None:
        self.deployment = deployment
        self.name = name
        self.policy = policy
        self._send = send
        self.loop = asyncio.get_running_loop()
        self._admission: Admission[Waiting] = Admission(concurrency=policy.concurrency, capacity=policy.queue)
        self._replicas: dict[str, Replica] = {}
        self._admitted = 0
        self._requests = 0
        self._errors = 0
        self._latency = Histogram()
        self._woken = False
        self._drought_began = time.monotonic()
        self._drought_ended = 0.0
        self._deadline: asyncio.TimerHandle | None = None
        self._deadline_at = 0.0
        #: Of those that were admitted, until their answer begins.
        self.time_limit = TimeLimit(self.loop, lambda: self.policy.timeout)
        self._report: asyncio.TimerHandle | None = None
        self._accepted_host: bytes | None = None
        self._reported = 0.0
        #: Answer to `/docs.json` of a replica of this content.
        self._docs: bytes | None = None
        self._newest = ""
        #: What `Server-Timing` says of the start that ended the newest drought.
        self.cold_phases = b""

    @property
    def waiting(self) -> int:
        """Requests that wait."""
        return self._admission.waiting

    @property
    def is_open(self) -> bool:
        """True while it lets requests in."""
        return self.policy.closed is None

    # What the control plane says

    def configure(self, policy: Policy) -> None:
        """Change the policy; the waiting are held to the new one too."""
        if policy.content != self.policy.content:
            self._docs = None
        self.policy = policy
        self._accepted_host = None
        self._admission.concurrency = policy.concurrency
        self._admission.capacity = policy.queue
        if policy.closed is not None:
            self._refuse_waiting(deployment_closed(self.deployment, policy.closed))
        self._pump()
        self._set_deadline()
        self.time_limit.changed()

    def set_replicas(
        self, replicas: Iterable[tuple[str, str]], phases: Mapping[str, Mapping[str, float]] | None = None
    ) -> None:
        """Say which replicas may get requests; those missing are drained.

        Args:
            replicas: Id and path of the socket of each.
            phases: Seconds per phase of the start of some of them.
        """
        now = time.monotonic()
        had_replica = self._admission.has_replica
        named = dict(replicas)
        self._newest = next(reversed(named), "")
        for replica_id, path in named.items():
            known = self._replicas.get(replica_id)
            if known is None or known.path != path:
                if known is not None:
                    known.close()
                self._replicas[replica_id] = Replica(replica_id, path, self.policy.content)
        for replica_id in self._admission.set_replicas(named):
            self._drained(replica_id)
        if named and not had_replica:
            self._drought_ended = now
            self._woken = False
            self.cold_phases = b"".join(
                b"%b;dur=%.2f, " % (name.encode(), seconds * 1000)
                for name, seconds in ((phases or {}).get(next(iter(named))) or {}).items()
            )
        elif had_replica and not named:
            self._drought_began = now
        self._pump()
        self._wake_if_needed()
        self._changed()

    def close(self) -> None:
        """The deployment is gone: refuse the waiting, let the others end, say nothing more."""
        reason = "it was deleted"
        self.policy = replace(self.policy, closed=reason)
        self._refuse_waiting(deployment_closed(self.deployment, reason))
        for handle in (self._deadline, self._report):
            if handle is not None:
                handle.cancel()
        self._send = _say_nothing
        for replica in self._replicas.values():
            replica.close()

    # What exchanges ask

    def arrive(self, visitor: Visitor) -> None:
        """A request has come: it is refused, or admitted, or waits until it is either."""
        head, policy = visitor.head, self.policy
        answer: Answer | None = None
        if head.let_in_by is not policy:  # on a connection the same head comes often
            answer = self.refusal(head)
            if answer is None:
                head.let_in_by = policy
        if answer is None and head.path in _KNOWN_PATHS:
            answer = self._known(head)
        if answer is None:
            replica_id = self._admission.enter()
            if replica_id is not None:
                self._admitted += 1
                visitor.admitted(self._replicas[replica_id])
                if self._report is None:
                    self._changed()
                return
            if not self._admission.enqueue(visitor):
                answer = queue_full(self.deployment, self.policy.queue)
        if answer is not None:
            if head.path == b"/readyz":
                self.loop.call_later(_READYZ_PAUSE, visitor.refused, answer)
            else:
                visitor.refused(answer)
            return
        self._after_queue_grew()

    def refusal_of_task(self, head: RequestHead) -> Answer | None:
        """Why a new task is not taken; None = it may come."""
        answer = self.refusal(head)
        if answer is None and self._admission.waiting >= self.policy.queue:
            answer = queue_full(self.deployment, self.policy.queue)
        return answer

    def wait(self, task: Waiting) -> None:
        """A task that was taken waits for its turn; it has its place even in a full queue."""
        self._admission.enqueue(task, always=True)
        self._after_queue_grew()

    def leave(self, visitor: Waiting) -> None:
        """A request no longer waits: its caller has gone."""
        self._admission.withdraw(visitor)
        self._after_queue_shrank()
        self._changed()

    def release(self, replica: Replica) -> None:
        """A slot is free again."""
        if self._admission.release(replica.id):
            self._drained(replica.id)
        if not self._admission.is_empty:
            self._pump()
        if self._report is None:
            self._changed()

    def retry(self, visitor: Waiting, replica: Replica) -> None:
        """A request lost its replica: it gives the slot back and is the next to get another."""
        if self.policy.closed is not None:
            self.release(replica)
            visitor.refused(deployment_closed(self.deployment, self.policy.closed))
            return
        self._admission.enqueue_first(visitor, visitor.arrived)
        self.release(replica)
        self._wake_if_needed()
        self._set_deadline()

    def lost(self, replica: Replica) -> None:
        """A replica cannot be reached, or has ended: tell the control plane, use others meanwhile."""
        if self._replicas.get(replica.id) is replica and self._admission.suspend(replica.id):
            self._say("lost", replica=replica.id)
            self.loop.call_later(_SUSPENSION, self._end_suspension, replica.id)

    def count(self, *, error: bool) -> None:
        """A request was answered (the answer has begun, at least); with `error` by a 5xx."""
        self._requests += 1
        self._errors += error
        if self._report is None:
            self._changed()

    def count_broken(self) -> None:
        """An answer that was counted when it began did not come to its end."""
        self._errors += 1
        self._changed()

    def keeps(self, head: RequestHead, replica: Replica) -> bool:
        """True when the answer of this replica is one to keep (`keep_docs`)."""
        return head.path == b"/docs.json" and head.method == b"GET" and replica.id == self._newest

    def keep_docs(self, content: bytes) -> None:
        """Keep an answer to `/docs.json` for the time when there is no replica."""
        self._docs = content

    def took(self, seconds: float) -> None:
        """The answer to a request is whole; from its arrival that took so long."""
        self._latency.add(seconds)
        if self._report is None:
            self._changed()

    def waited(self, arrived: float, admitted: float) -> tuple[float, float]:
        """Seconds that a request waited for a slot, and for the first replica (0 when there was one)."""
        cold = 0.0
        if arrived < self._drought_ended <= admitted:
            cold = self._drought_ended - max(arrived, self._drought_began)
        return max(0.0, admitted - arrived - cold), cold

    # Inside

    def refusal(self, head: RequestHead, *, while_closed: bool = False) -> Answer | None:
        """Why a request is not let in; None = it may come.

        Args:
            head: Of the request.
            while_closed: It may come though the deployment is closed.
        """
        policy = self.policy
        host = head.field(b"host")
        if (
            policy.hosts is not None
            and host is not None
            and host != self._accepted_host
            and not is_trusted_host(host.decode("latin-1"), policy.hosts)
        ):
            return foreign_host(self.deployment)
        self._accepted_host = host
        if policy.closed is not None and not while_closed:
            return deployment_closed(self.deployment, policy.closed)
        if (
            policy.protected
            and head.path not in _OPEN_PATHS
            and not head.is_preflight
            and not policy.accepts(head.field(b"authorization"))
        ):
            return unauthorized(self.deployment)
        return None

    def _known(self, head: RequestHead) -> Answer | None:
        """The answer to what can be said without waking a replica; None where one has to answer."""
        if (
            head.path not in _KNOWN_PATHS
            or head.method not in (b"GET", b"HEAD")
            or self._admission.has_replica
        ):
            return None
        if head.path == b"/livez":
            return alive()
        if head.path == b"/metrics":
            return no_metrics()
        if head.path == b"/schema.json" and self.policy.schema is not None:
            return Answer(200, body=self.policy.schema)
        if head.path == b"/docs.json" and self._docs is not None:
            return Answer(200, body=self._docs)
        return None

    def _after_queue_grew(self) -> None:
        self._pump()
        if self._admission.waiting:
            self._wake_if_needed()
            self._set_deadline()
        self._changed()

    def _pump(self) -> None:
        """Admit all that can be."""
        admitted = False
        while (pair := self._admission.admit()) is not None:
            admitted = True
            self._admitted += 1
            visitor, replica_id = pair
            visitor.admitted(self._replicas[replica_id])
        if admitted:
            self._after_queue_shrank()

    def _after_queue_shrank(self) -> None:
        if not self._admission.waiting:
            self._woken = False
        if self._deadline is not None or self._admission.waiting:
            self._set_deadline()

    def _wake_if_needed(self) -> None:
        if self._admission.waiting and not self._admission.has_replica and not self._woken:
            self._woken = True
            self._say("wake")

    def _refuse_waiting(self, answer: Answer) -> None:
        while (visitor := self._admission.head()) is not None:
            self._admission.withdraw(visitor)
            visitor.refused(answer)
        self._after_queue_shrank()
        self._changed()

    def _set_deadline(self) -> None:
        """One timer for the whole queue: the head of it has the earliest deadline."""
        head = self._admission.head()
        if head is None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None
            return
        when = head.arrived + self.policy.cold_start_timeout
        if self._deadline is None or self._deadline_at != when:
            if self._deadline is not None:
                self._deadline.cancel()
            self._deadline_at = when
            self._deadline = self.loop.call_later(max(0.0, when - time.monotonic()), self._expire)

    def _expire(self) -> None:
        self._deadline = None
        limit = self.policy.cold_start_timeout
        # A timer may fire a clock tick early.
        latest = time.monotonic() - limit + 0.001
        answer = cold_start_timeout(self.deployment, limit, has_replica=self._admission.has_replica)
        while (visitor := self._admission.head()) is not None and visitor.arrived <= latest:
            self._admission.withdraw(visitor)
            visitor.refused(answer)
        self._after_queue_shrank()
        self._changed()

    def _end_suspension(self, replica_id: str) -> None:
        self._admission.resume(replica_id)
        self._pump()

    def _drained(self, replica_id: str) -> None:
        self._replicas.pop(replica_id).close()
        self._say("drained", replica=replica_id)

    def _changed(self) -> None:
        """Report the load: at once after a quiet time, else when the interval is over."""
        if self._report is None:
            pause = self._reported + _REPORT_INTERVAL - time.monotonic()
            self._report = self.loop.call_later(max(0.0, pause), self._send_load)

    def _send_load(self) -> None:
        self._report = None
        self._reported = time.monotonic()
        self._say(
            "load",
            in_flight=self._admission.in_flight,
            waiting=self._admission.waiting,
            admitted=self._admitted,
            requests=self._requests,
            errors=self._errors,
            latency=self._latency.take(),
            per_replica=self._admission.per_replica,
        )

    def _say(self, op: str, **content: Any) -> None:
        self._send({"op": op, "deployment": self.deployment, "set": self.name, **content})


def _say_nothing(message: dict[str, Any]) -> None:
    """Where the messages of a removed route go."""
