"""One request on its way: from the caller through the queue to a replica, and the answer back."""

from __future__ import annotations

import asyncio
import errno
import itertools
import os
import re
import secrets
import time
from typing import Protocol

from .bodies import Body, HttpSyntaxError, OpenBody
from .heads import RequestHead, ResponseHead
from .responses import Answer, bad_gateway, bad_request, request_timeout
from .route import Route
from .upstream import Replica, ReplicaConnection

__all__ = ["Caller", "Exchange", "request_id_of"]

#: Bytes of a request's body that are kept to send them again; a longer body is sent once only.
KEPT_BODY = 1024 * 1024
#: Where many wait, less of each one's body is taken in meanwhile: the rest stays with the caller.
CROWD, KEPT_BODY_IN_CROWD = 64, 64 * 1024
#: How many replicas may be lost with a request: one that kills its replica is tried on one other only.
MAX_SENDS = 2
#: How often a request may meet a replica that cannot be connected to, which harms nobody.
MAX_TRIES = 10
#: Seconds for which the connection must hold on which a request is sent again: what has ended one replica
#: (want of memory, a hand) often ends others at the same time, and a request is not to fall with each.
PROBATION = 0.05

#: Random per process, counted within it.
_ID_PREFIX = secrets.token_hex(8).encode()
_request_ids = (b"%b%016x" % (_ID_PREFIX, number) for number in itertools.count(1))
#: The callers' own ids that are taken over: what is longer or has spaces would spoil the logs of others.
_REQUEST_ID = re.compile(rb"[!-~]{1,128}")


def request_id_of(head: RequestHead) -> bytes:
    """The id that a request brings along, else a new one."""
    own = head.field(b"x-request-id")
    return own if own is not None and _REQUEST_ID.fullmatch(own) else next(_request_ids)


class Caller(Protocol):
    """Where a request came from: a connection."""

    peer: bytes
    proto: bytes
    congested: bool

    def write(self, data: bytes) -> None:
        """Send to the caller."""

    def exchange_over(self, *, close: bool) -> None:
        """The answer was written; `close` ends the connection with it."""

    def break_off(self) -> None:
        """End the connection at once, so that the caller sees a broken answer."""

    def become_tunnel(self) -> None:
        """From now on what comes is not HTTP: it goes to `Exchange.tunnel_from_caller`."""

    def update_reading(self) -> None:
        """`Exchange.congested` may have changed."""


# States of an exchange: constants of the module, since they are looked at a dozen times per request.
_WAITING = "in the queue"
_CONNECTING = "has a slot, but no connection yet"
_SENT = "a replica has it and has not begun to answer"
_ANSWERING = "the answer has begun"
_TUNNEL = "the connection speaks another protocol"
_OVER = "the caller is done with; the slot may still be held"


class Exchange:
    """One request and its answer.

    The slot is held until the replica has answered or its connection is closed. When the caller goes away
    before that, a replica with limited concurrency is left to finish: it would go on computing anyhow, and a
    slot given back early would put it above its limit. Otherwise, and once the answer began, it is cut off.

    Args:
        caller: Where it came from.
        route: Where it goes.
        head: Its head.
    """

    __slots__ = (
        "_admitted",
        "_caller",
        "_closing",
        "_connection",
        "_counted",
        "_docs",
        "_fresh",
        "_kept",
        "_kept_size",
        "_loop",
        "_replica",
        "_replica_congested",
        "_request_id",
        "_route",
        "_sends",
        "_state",
        "_task",
        "_timer",
        "_to_replica",
        "_tries",
        "arrived",
        "body",
        "head",
        "http10",
        "method",
    )

    def __init__(self, caller: Caller, route: Route, head: RequestHead) -> None:
        self.head = head
        self.method = head.method
        self.http10 = head.http10
        self.body = head.body()
        self._loop = route.loop
        self.arrived = time.monotonic()
        self._caller: Caller | None = caller
        self._route = route
        self._request_id = request_id_of(head)
        self._to_replica = b""
        self._state = _WAITING
        self._kept: list[bytes] | None = []
        self._kept_size = 0
        self._docs: list[bytes] | None = None
        self._replica: Replica | None = None
        self._connection: ReplicaConnection | None = None
        self._replica_congested = False
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._admitted = 0.0
        self._tries = 0
        self._sends = 0
        self._fresh = False
        self._closing = False
        self._counted = False

    @property
    def congested(self) -> bool:
        """True while no more of the request should be read from the caller."""
        if self._state in (_WAITING, _CONNECTING):
            return self._kept_size > (KEPT_BODY if self._route.waiting < CROWD else KEPT_BODY_IN_CROWD)
        return self._replica_congested

    @property
    def request_sent(self) -> bool:
        """True when the whole request was written to the replica."""
        return self.body.complete

    # From the caller

    def begin(self) -> None:
        """Ask the route for a slot. What of the body came with the head was received before."""
        self._route.arrive(self)

    def receive(self, data: bytes) -> None:
        """More of the request's body came."""
        if self._kept is not None:
            if self._connection is None or self._kept_size + len(data) <= KEPT_BODY:
                self._kept.append(data)
                self._kept_size += len(data)
            else:
                self._kept = None
        if self._connection is not None and self._state is not _OVER:
            self._connection.write(data)

    def request_broken(self, error: HttpSyntaxError) -> None:
        """The request's body is not what it says: nothing that follows on this connection can be trusted."""
        if self._state in (_ANSWERING, _TUNNEL):
            caller = self._caller
            self.caller_gone()
            if caller is not None:
                caller.break_off()
            return
        if self._state is _WAITING:
            self._route.leave(self)
        self._respond(bad_request(error.status, error.message), close=True)
        self._drop_connection()

    def tunnel_from_caller(self, data: bytes) -> None:
        """Bytes of another protocol came."""
        if self._connection is not None:
            self._connection.write(data)

    def caller_congested(self, congested: bool) -> None:
        """The caller does not (or again does) take in what is sent."""
        if self._connection is None:
            return
        answering = self._state in (_ANSWERING, _TUNNEL)
        if congested:
            self._connection.pause_reading()
            if answering:
                self._timer = self._loop.call_later(self._route.policy.timeout, self._stalled)
        else:
            self._connection.resume_reading()
            if answering:
                self._cancel_timer()

    def caller_gone(self) -> None:
        """The caller's connection is gone."""
        self._caller = None
        state = self._state
        if state is _WAITING:
            self._state = _OVER
            self._route.leave(self)
        elif state is _CONNECTING:
            self._state = _OVER
        elif state is _TUNNEL and self._connection is not None:
            self._connection.close()
        elif state is _SENT and self.body.complete and self._route.policy.concurrency is not None:
            if self._connection is not None:
                self._connection.resume_reading()
        else:
            self._drop_connection()

    # From the route

    def admitted(self, replica: Replica) -> None:
        """A slot of this replica is ours: give it the request."""
        self._replica = replica
        self._tries += 1
        self._admitted = time.monotonic()
        self._route.time_limit.begin(self, self._admitted)
        connection = None if self._fresh else replica.idle_connection()
        if connection is not None:
            self._send(connection)
        else:
            self._state = _CONNECTING
            self._task = self._loop.create_task(self._connect(replica))

    def refused(self, answer: Answer) -> None:
        """There is no slot for us: tell the caller."""
        self._respond(answer)

    # From the replica

    def answer_interim(self, head: ResponseHead) -> None:
        """A 1xx head came, such as `100 Continue`."""
        if self._caller is not None and self._state is _SENT and not self.http10:
            self._caller.write(head.to_caller(request_id=self._request_id))

    def answer_begins(self, head: ResponseHead, body: Body, data: bytes) -> None:
        """The head of the answer came, and with it these bytes of its body."""
        route, caller = self._route, self._caller
        self._cancel_timer()
        if caller is None or self._state is not _SENT:
            if not body.complete:
                self._drop_connection()
            return
        if head.status == 101 and not self.head.upgrade:
            self._respond(bad_gateway(self._route.deployment, "its instance changed the protocol unasked"))
            self._drop_connection()
            return
        self._kept = None
        self._counted = True
        route.count(error=head.status >= 500)
        timing = self._timing()
        if head.status == 101:
            self._state = _TUNNEL
            caller.write(head.to_caller(request_id=self._request_id, extra=timing))
            caller.become_tunnel()
            return
        self._state = _ANSWERING
        # Where the end of the answer is the end of the connection, and where the caller may still be sending.
        self._closing = (
            not self.head.keep_alive
            or not self.body.complete
            or isinstance(body, OpenBody)
            or (self.http10 and head.chunked)
        )
        connection = b"close" if self._closing else b"keep-alive" if self.http10 else b""
        written = head.to_caller(
            request_id=self._request_id, extra=timing, connection=connection, chunked=not self.http10
        )
        caller.write(written + data if data else written)
        if self.head.path == b"/docs.json" and self._keeps_docs(head):
            self._docs = [data]

    def answer_goes_on(self, data: bytes) -> None:
        """More bytes of the answer's body came."""
        if self._docs is not None:
            self._docs.append(data)
        if self._caller is not None and self._state is _ANSWERING:
            self._caller.write(data)

    def answer_complete(self) -> None:
        """The answer is whole, and the connection rid of it."""
        self._connection = None
        caller = self._caller
        answering = self._state is _ANSWERING
        if answering:
            self._route.took(time.monotonic() - self.arrived)
            if self._docs is not None:
                self._route.keep_docs(b"".join(self._docs))
        self._end()
        if caller is not None and answering:
            caller.exchange_over(close=self._closing)

    def answer_lost(self, connection: ReplicaConnection, reason: str) -> None:
        """The connection to the replica is gone before the answer was whole."""
        self._connection = None
        caller = self._caller
        if self._state is _SENT and caller is not None:
            if not connection.reused and not connection.spoke and self._replica is not None:
                self._route.lost(self._replica)
            self._fresh = True
            if connection.spoke:
                self._kept = None
            self._sends -= connection.undelivered
            self._try_again(reason, may_have_worked=not connection.undelivered)
            return
        answering, tunnel = self._state is _ANSWERING, self._state is _TUNNEL
        self._end()
        if caller is None:
            return
        if tunnel:
            caller.exchange_over(close=True)
        elif answering:
            self._route.count_broken()
            caller.break_off()

    def tunnel_data(self, data: bytes) -> None:
        """Bytes of another protocol came, after a 101."""
        if self._caller is not None:
            self._caller.write(data)

    def replica_congested(self, congested: bool) -> None:
        """The replica does not (or again does) take in what is sent."""
        self._replica_congested = congested
        if self._caller is not None:
            self._caller.update_reading()

    # Inside

    def _keeps_docs(self, head: ResponseHead) -> bool:
        """True when this answer is worth keeping: plain JSON with a length, of a newest replica."""
        small = head.status == 200 and head.length is not None and head.length <= KEPT_BODY
        encoded = any(line.lower().startswith(b"content-encoding:") for line in head.passed)
        replica = self._replica
        return small and not encoded and replica is not None and self._route.keeps(self.head, replica)

    def _timing(self) -> bytes:
        """Where the time until the answer's first byte went, in milliseconds, and what has answered."""
        queue, cold = self._route.waited(self.arrived, self._admitted)
        upstream = (time.monotonic() - self._admitted) * 1000
        stamp = self._replica.stamp if self._replica is not None else b""
        if not cold:
            return b"Server-Timing: queue;dur=%.2f, upstream;dur=%.2f\r\n%b" % (queue * 1000, upstream, stamp)
        return b"Server-Timing: queue;dur=%.2f, cold;dur=%.2f, %bupstream;dur=%.2f\r\n%b" % (
            queue * 1000,
            cold * 1000,
            self._route.cold_phases,
            upstream,
            stamp,
        )

    async def _connect(self, replica: Replica) -> None:
        try:
            connection = await replica.connect()
            if self._sends:
                await asyncio.sleep(PROBATION)
                if connection.is_closing:
                    raise ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
        except OSError as error:
            self._route.lost(replica)
            if self._state is _OVER:
                self._end()
            else:
                self._try_again(f"its instance cannot be reached: {error.strerror}", may_have_worked=False)
            return
        if self._state is _OVER:
            replica.keep(connection)
            self._end()
        else:
            self._send(connection)

    def _send(self, connection: ReplicaConnection) -> None:
        """Write the head, and what there is of the body."""
        self._state = _SENT
        self._sends += 1
        self._connection = connection
        if not self._to_replica and self._caller is not None:
            self._to_replica = self.head.to_replica(
                peer=self._caller.peer,
                proto=self._caller.proto,
                request_id=self._request_id,
                with_authorization=not self._route.policy.protected,
            )
        connection.start(self, b"".join((self._to_replica, *self._kept)) if self._kept else self._to_replica)
        if self._kept_size > KEPT_BODY:
            self._kept = None
        caller = self._caller
        if caller is not None:
            if caller.congested:
                connection.pause_reading()
            if self._kept_size > KEPT_BODY_IN_CROWD:
                caller.update_reading()

    def _try_again(self, reason: str, *, may_have_worked: bool) -> None:
        """Go back to the queue's head, if the request is still at hand and may be done twice."""
        self._cancel_timer()
        replica = self._replica
        once_only = may_have_worked and (
            not self._route.policy.retries or self._sends >= MAX_SENDS or self.head.path.endswith(b"/submit")
        )
        if replica is not None and self._kept is not None and not once_only and self._tries < MAX_TRIES:
            self._replica = None
            self._state = _WAITING
            self._replica_congested = False
            self._route.retry(self, replica)
            return
        self._respond(bad_gateway(self._route.deployment, reason))
        self._end()

    def timed_out(self) -> None:
        """The replica had it for as long as it may."""
        if self._caller is not None:
            self._respond(request_timeout(self._route.deployment, self._route.policy.timeout))
        self._drop_connection()

    def _stalled(self) -> None:
        """The caller has long taken in nothing of its answer: it must not keep the slot for ever."""
        self._timer = None
        caller = self._caller
        self._route.count_broken()
        self._drop_connection()
        if caller is not None:
            caller.break_off()

    def _respond(self, answer: Answer, *, close: bool = False) -> None:
        """Answer in place of a replica. The slot, if there is one, stays held."""
        caller, self._caller = self._caller, None
        self._state = _OVER
        self._cancel_timer()
        if caller is None:
            return
        self._count(error=answer.status >= 500)
        self._route.took(time.monotonic() - self.arrived)
        close = close or not self.head.keep_alive or not self.body.complete
        caller.write(
            answer.encode(
                close=close,
                keep_alive_said=self.http10,
                head_only=self.method == b"HEAD",
                extra=b"X-Request-Id: %b\r\n" % self._request_id,
            )
        )
        caller.exchange_over(close=close)

    def _drop_connection(self) -> None:
        """Close the replica's connection; the slot is given back when it is closed (`answer_lost`)."""
        self._caller = None
        self._cancel_timer()
        self._state = _OVER
        if self._connection is not None:
            self._connection.abort()

    def _end(self) -> None:
        """Nothing more will come from the replica: give the slot back."""
        if self._state is not _ANSWERING or self._timer is not None:  # else that was done before
            self._cancel_timer()
        self._state = _OVER
        self._caller = None
        replica, self._replica = self._replica, None
        if replica is not None:
            self._route.release(replica)

    def _cancel_timer(self) -> None:
        self._route.time_limit.end(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _count(self, *, error: bool) -> None:
        if not self._counted:
            self._counted = True
            self._route.count(error=error)
