"""One caller's connection: requests are read one after the other, and answered in that order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol, cast

from .bodies import Body, HttpSyntaxError
from .heads import MAX_HEAD, RequestHead, find_head, parse_request
from .responses import bad_request

__all__ = ["CallerConnection", "Conversation"]

#: Seconds for which a caller that still sends may go on after it was answered, so that it reads the answer
#: instead of a reset (RFC 9112, section 9.6).
_LINGER = 10.0


class Conversation(Protocol):
    """Who deals with one request: an exchange with a replica, or the gateway itself."""

    body: Body

    @property
    def congested(self) -> bool:
        """True while no more of the request should be read from the caller."""
        raise NotImplementedError

    def begin(self) -> None:
        """The head is there, and so is what came of the body with it."""

    def receive(self, data: bytes) -> None:
        """More of the request's body came."""

    def request_broken(self, error: HttpSyntaxError) -> None:
        """The request's body is not what it says."""

    def tunnel_from_caller(self, data: bytes) -> None:
        """Bytes of another protocol came."""

    def caller_congested(self, congested: bool) -> None:
        """The caller does not (or again does) take in what is sent."""

    def caller_gone(self) -> None:
        """The caller's connection is gone."""


class CallerConnection(asyncio.Protocol):
    """A connection to a deployment's listener.

    Args:
        meet: Gives who deals with a request, by its head.
        connections: Where the connection enters itself for as long as it lives.

    Attributes:
        peer: The caller's address.
        proto: `https` when it came by TLS, else `http`.
        congested: The caller does not take in what is sent.
    """

    def __init__(
        self,
        meet: Callable[[CallerConnection, RequestHead], Conversation],
        connections: set[CallerConnection],
    ) -> None:
        self.peer = b""
        self.proto = b"http"
        self.congested = False
        self._meet = meet
        self._connections = connections
        self._transport: asyncio.Transport
        self._exchange: Conversation | None = None
        self._pending = b""
        self._raw_head = b""
        self._head: RequestHead | None = None
        self._advancing = False
        self._paused = False
        self._tunnel = False
        self._ended = False
        self._last = False
        self._linger: asyncio.TimerHandle | None = None

    # From asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Callback of asyncio."""
        self._transport = cast(asyncio.Transport, transport)
        self._connections.add(self)
        peername = transport.get_extra_info("peername")
        self.peer = peername[0].encode("ascii") if peername else b"unknown"
        if transport.get_extra_info("sslcontext") is not None:
            self.proto = b"https"

    def data_received(self, data: bytes) -> None:
        """Callback of asyncio."""
        exchange = self._exchange
        if self._ended:
            return
        if exchange is None:
            self._pending = self._pending + data if self._pending else data
            self._advance()
            return
        if self._tunnel:
            exchange.tunnel_from_caller(data)
            return
        if not exchange.body.complete:
            try:
                end = exchange.body.take(data)
            except HttpSyntaxError as error:
                exchange.request_broken(error)
                return
            exchange.receive(data[:end] if end < len(data) else data)
            data = data[end:]
        self._pending += data
        self.update_reading()

    def pause_writing(self) -> None:
        """Callback of asyncio."""
        self.congested = True
        if self._exchange is not None:
            self._exchange.caller_congested(True)

    def resume_writing(self) -> None:
        """Callback of asyncio."""
        self.congested = False
        if self._exchange is not None:
            self._exchange.caller_congested(False)

    def connection_lost(self, exc: Exception | None) -> None:
        """Callback of asyncio."""
        self._connections.discard(self)
        self._ended = True
        if self._linger is not None:
            self._linger.cancel()
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.caller_gone()

    # From the exchange

    def write(self, data: bytes) -> None:
        """Send to the caller."""
        self._transport.write(data)

    def exchange_over(self, *, close: bool) -> None:
        """The answer was written: go on with the next request, or end the connection."""
        exchange, self._exchange = self._exchange, None
        if not close and not self._last:
            if self._pending:
                self._advance()
            elif self._paused:
                self.update_reading()
        elif self._tunnel or (exchange is not None and exchange.body.complete and not self._pending):
            self._ended = True
            self._transport.close()
        else:
            self._end_slowly()

    def break_off(self) -> None:
        """End the connection at once, so that the caller sees a broken answer."""
        self._exchange = None
        self._ended = True
        self._transport.abort()

    def become_tunnel(self) -> None:
        """From now on what comes is not HTTP."""
        self._tunnel = True
        if self._pending and self._exchange is not None:
            data, self._pending = self._pending, b""
            self._exchange.tunnel_from_caller(data)
        self.update_reading()

    def update_reading(self) -> None:
        """Read from the caller, or stop, as the exchange and what is pending ask for."""
        pause = len(self._pending) > MAX_HEAD or (self._exchange is not None and self._exchange.congested)
        if pause != self._paused and not self._ended:
            self._paused = pause
            if pause:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    # From the gateway

    def end(self) -> None:
        """The listener is gone: end the connection, after the request in progress."""
        self._last = True
        if self._exchange is None and not self._ended:
            self._ended = True
            self._transport.close()

    # Inside

    def _advance(self) -> None:
        """Begin the next request, if it is there and none is in progress."""
        if self._advancing:
            return
        self._advancing = True
        try:
            while self._pending and self._exchange is None and not self._ended:
                if not self._begin_next():
                    break
        except HttpSyntaxError as error:
            self._exchange = None
            answer = bad_request(error.status, error.message)
            self._transport.write(answer.encode(close=True))
            self._end_slowly()
        finally:
            self._advancing = False
        exchange = self._exchange
        if self._paused or self._pending or (exchange is not None and not exchange.body.complete):
            self.update_reading()

    def _begin_next(self) -> bool:
        """Begin a request; False when its head is not all there."""
        head = self._head
        if head is not None and self._pending.startswith(self._raw_head):
            # Most callers send the same head again and again: it was read and checked already.
            self._pending = self._pending[len(self._raw_head) :]
            self._start(head)
            return True
        if self._pending[0] in b"\r\n":  # An empty line before a request is forgiven (RFC 9112, section 2.2).
            if b"\r\n".startswith(self._pending):
                return False
            if not self._pending.startswith(b"\r\n"):
                raise HttpSyntaxError("a request begins with a bare CR or LF")
            self._pending = self._pending[2:]
            return True
        if not 65 <= self._pending[0] <= 90:
            raise HttpSyntaxError("this port speaks plain HTTP/1.1")
        length = find_head(self._pending)
        if not length:
            return False
        raw, self._pending = self._pending[:length], self._pending[length:]
        head = parse_request(raw)
        self._raw_head, self._head = raw, head
        self._start(head)
        return True

    def _start(self, head: RequestHead) -> None:
        """Begin the exchange of a head; what is pending is what came after it."""
        exchange = self._meet(self, head)
        if self._pending and not exchange.body.complete:
            end = exchange.body.take(self._pending)
            exchange.receive(self._pending[:end])
            self._pending = self._pending[end:]
        self._exchange = exchange
        exchange.begin()

    def _end_slowly(self) -> None:
        """Say that nothing more will come, and wait until the caller has said the same."""
        self._ended = True
        self._pending = b""
        if self._transport.is_closing():
            return
        if self._paused:
            self._paused = False
            self._transport.resume_reading()
        if not self._transport.can_write_eof():  # TLS has no half of a connection
            self._transport.close()
            return
        self._transport.write_eof()
        self._linger = asyncio.get_running_loop().call_later(_LINGER, self._transport.abort)
