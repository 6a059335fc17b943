"""A replica as the gateway sees it: its Unix socket, connections kept to it, and what comes back on one."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from typing import Protocol, cast

from .bodies import EMPTY_BODY, Body, FixedBody, HttpSyntaxError, OpenBody
from .heads import ResponseHead, find_head, parse_response

__all__ = ["UNDELIVERED", "Replica", "ReplicaConnection", "Requester"]

#: What a relay in between says, and nothing else, when the replica will never see what was sent to it.
UNDELIVERED = b"\0"

#: Idle connections kept per replica; more are closed when they become idle.
_MAX_IDLE = 128
#: Seconds between tries while the backlog of a replica's socket is full.
_BACKLOG_PAUSE = 0.02
_BACKLOG_TRIES = 500


class Requester(Protocol):
    """Who waits for what a replica answers: an exchange."""

    method: bytes
    http10: bool

    @property
    def request_sent(self) -> bool:
        """True when the whole request was written."""
        raise NotImplementedError

    def answer_interim(self, head: ResponseHead) -> None:
        """A 1xx head came."""

    def answer_begins(self, head: ResponseHead, body: Body, data: bytes) -> None:
        """The head of the answer came, and with it these bytes of its body."""

    def answer_goes_on(self, data: bytes) -> None:
        """More bytes of the answer's body came: with its framing, but for HTTP/1.0 without."""

    def answer_complete(self) -> None:
        """The answer is whole, and the connection rid of it."""

    def answer_lost(self, connection: ReplicaConnection, reason: str) -> None:
        """The connection ended (and is gone) before the answer was whole."""

    def tunnel_data(self, data: bytes) -> None:
        """Bytes of another protocol came, after a 101."""

    def replica_congested(self, congested: bool) -> None:
        """The replica does not (or again does) take in what is sent."""


class Replica:
    """One replica.

    Args:
        replica_id: As the control plane calls it.
        path: Of its Unix socket.
        content: What it was made of, which its answers tell in `X-Bento`; "" = they do not.
    """

    def __init__(self, replica_id: str, path: str, content: str = "") -> None:
        self.id = replica_id
        self.path = path
        self.stamp = b"X-Bento: %b\r\n" % content.encode("latin-1", "replace") if content else b""
        self._idle: list[ReplicaConnection] = []
        self._closed = False

    def idle_connection(self) -> ReplicaConnection | None:
        """A kept connection, the one used last; None when there is none. It may turn out to be stale."""
        while self._idle:
            connection = self._idle.pop()
            if not connection._transport.is_closing():
                return connection
        return None

    async def connect(self) -> ReplicaConnection:
        """Open a connection.

        Raises:
            OSError: Nobody listens on the socket.
        """
        loop = asyncio.get_running_loop()
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            for _ in range(_BACKLOG_TRIES):
                # Never waits on a Unix socket: it is done, refused, or the backlog is full: EAGAIN on Linux,
                # which the event loops' own connect mistake for success or failure.
                outcome = sock.connect_ex(self.path)
                if outcome != errno.EAGAIN:
                    break
                await asyncio.sleep(_BACKLOG_PAUSE)
            if outcome:
                raise OSError(outcome, os.strerror(outcome), self.path)
            _, connection = await loop.create_unix_connection(lambda: ReplicaConnection(self), sock=sock)
        except BaseException:
            sock.close()
            raise
        return connection

    def keep(self, connection: ReplicaConnection) -> None:
        """Take a connection back that has nothing to do."""
        if self._closed or len(self._idle) >= _MAX_IDLE:
            connection.close()
        else:
            self._idle.append(connection)

    def forget(self, connection: ReplicaConnection) -> None:
        """A connection is gone."""
        if connection in self._idle:
            self._idle.remove(connection)

    def close(self) -> None:
        """Close the idle connections, and the busy ones as they become idle."""
        self._closed = True
        for connection in self._idle:
            connection.close()
        self._idle.clear()


class ReplicaConnection(asyncio.Protocol):
    """One connection to a replica; works on one request at a time.

    Attributes:
        reused: It has carried a request before the present one, so the replica may just have closed it.
        spoke: The replica has sent something since the present request began, other than the head of an
            answer to GET whose body is still to come.
        undelivered: The present request has not reached the replica, and will not.
    """

    def __init__(self, replica: Replica) -> None:
        self.reused = False
        self.spoke = False
        self.undelivered = False
        self._replica = replica
        self._requester: Requester | None = None
        self._transport: asyncio.Transport
        self._buffer = b""
        self._raw_head = b""
        self._head: ResponseHead | None = None
        self._body: Body | None = None
        self._keep_alive = False
        self._tunnel = False
        self._fault = ""
        self._paused = False

    @property
    def is_closing(self) -> bool:
        """True when it is gone, or about to go."""
        return self._transport.is_closing()

    def start(self, requester: Requester, data: bytes) -> None:
        """Begin a request.

        Args:
            requester: Who gets the answer.
            data: Its head, and what there is of its body.
        """
        self._requester = requester
        self._fault = ""
        self.spoke = False
        self._transport.write(data)

    def write(self, data: bytes) -> None:
        """Send more of the request's body, or of the tunnelled protocol."""
        self._transport.write(data)

    def pause_reading(self) -> None:
        """Take in nothing for now: the caller is slower than the replica."""
        self._paused = True
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Take in again."""
        if self._paused:
            self._paused = False
            self._transport.resume_reading()

    def close(self) -> None:
        """End the connection, after what was written has gone out."""
        self._transport.close()

    def abort(self) -> None:
        """End the connection at once."""
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Callback of asyncio."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Callback of asyncio."""
        if self._requester is None:  # An idle connection has nothing to say.
            self.abort()
            return
        if data == UNDELIVERED and not (self.spoke or self.reused):
            self.undelivered = True
            self.abort()
            return
        self.spoke = True
        try:
            self._read(data)
        except HttpSyntaxError as error:
            self._fault = f"the instance's answer is not HTTP/1.1: {error.message}"
            self.abort()

    def _read(self, data: bytes) -> None:
        requester = self._requester
        while requester is not None and data:
            if self._tunnel:
                requester.tunnel_data(data)
                return
            if self._body is not None:
                data = self._pass_on(requester, self._body, data, None)
                continue
            data = self._buffer + data if self._buffer else data
            head = self._head
            if head is not None and data.startswith(self._raw_head):
                length = len(self._raw_head)  # the same as last time: it was read and checked already
            else:
                length = find_head(data)
                if not length:
                    self._buffer = data
                    return
                self._raw_head = data[:length]
                head = self._head = parse_response(self._raw_head)
            self._buffer = b""
            data = data[length:]
            if head.is_interim:
                requester.answer_interim(head)
                continue
            if len(data) == head.plain_length and requester.method != b"HEAD" and head.status != 101:
                # All of it at once, as most answers come.
                self._keep_alive = head.keep_alive
                requester.answer_begins(head, EMPTY_BODY, data)
                self._finish(clean=True)
                return
            body = head.body(requester.method)
            if not data and isinstance(body, FixedBody) and not body.complete and requester.request_sent:
                # Servers often send head and body apart. Passed on together they are one write. One that ends
                # in between has worked: only of what may be done twice it is as if it had not begun.
                self._buffer = self._raw_head
                if requester.method in (b"GET", b"HEAD"):
                    self.spoke = False
                else:
                    self._fault = (
                        "the instance ended after the head of its answer: the call was not made again"
                    )
                return
            self._body = body
            self._tunnel = head.status == 101
            if self._tunnel:
                requester.answer_begins(head, self._body, b"")
            else:
                data = self._pass_on(requester, self._body, data, head)

    def _pass_on(self, requester: Requester, body: Body, data: bytes, head: ResponseHead | None) -> bytes:
        """Give the requester what of `data` is the answer's, with a new head first; return the rest."""
        content: list[bytes] | None = [] if requester.http10 else None
        end = body.take(data, payload=content)
        rest = data[end:]
        piece = b"".join(content) if content is not None else data[:end] if rest else data
        if head is not None:
            self._keep_alive = head.keep_alive
            requester.answer_begins(head, body, piece)
        elif piece:
            requester.answer_goes_on(piece)
        if body.complete:
            self._finish(clean=not rest)
            return b""
        return rest

    def _finish(self, *, clean: bool) -> None:
        """The answer is whole: keep the connection, unless the replica ends it or has said too much."""
        requester = self._requester
        if requester is None:
            return
        self._requester = self._body = None
        if clean and self._keep_alive and requester.request_sent and not self._transport.is_closing():
            self.reused = True
            if self._paused:
                self.resume_reading()
            self._replica.keep(self)
        else:
            self.close()
        requester.answer_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Callback of asyncio."""
        self._replica.forget(self)
        requester, self._requester = self._requester, None
        if requester is None:
            return
        if isinstance(self._body, OpenBody) and exc is None and not self._fault:
            self._body.complete = True
            requester.answer_complete()
            return
        requester.answer_lost(self, self._fault or "the instance closed the connection without an answer")

    def pause_writing(self) -> None:
        """Callback of asyncio."""
        if self._requester is not None:
            self._requester.replica_congested(True)

    def resume_writing(self) -> None:
        """Callback of asyncio."""
        if self._requester is not None:
            self._requester.replica_congested(False)
