"""Connections to the control plane: uvicorn's, with bounds on what comes before a request's body.

uvicorn's parser takes heads of any size, and waits for them for ever.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["LARGEST_HEAD", "BoundedConnection"]

#: Bytes of a request's line and headers together.
LARGEST_HEAD = 64 * 1024
#: Seconds that a head may take from its first byte on, and a new connection until it is there.
HEAD_TIMEOUT = 30.0

_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n"
    b"content-type: text/plain; charset=utf-8\r\ncontent-length: 31\r\n\r\n"
    b"the request's head is too large"
)


class BoundedConnection(HttpToolsProtocol):
    """A connection whose heads end: by size (431) and by time (it is closed)."""

    _head: int | None = 0
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Callback of asyncio."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Callback of asyncio."""
        self._head_is_there()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Callback of asyncio."""
        # What comes in one piece may hold the end of a body, too: only what is left of a head counts.
        before = self._head
        super().data_received(data)
        if self._head is None or self.transport.is_closing():
            return
        if self._late is None and data:
            self._expect_head()
        self._head = (before or 0) + len(data)
        if self._head > LARGEST_HEAD:
            self.logger.warning("a request's head is larger than %d bytes", LARGEST_HEAD)
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def on_message_begin(self) -> None:
        """Callback of the parser."""
        super().on_message_begin()
        if self._head is None:
            self._head = 0

    def on_headers_complete(self) -> None:
        """Callback of the parser."""
        self._head_is_there()
        if sum(len(name) + len(value) for name, value in self.headers) + len(self.url) > LARGEST_HEAD:
            raise ValueError("the head is too large")  # answered with 400
        super().on_headers_complete()

    def _expect_head(self) -> None:
        self._head_is_there()
        self._head = 0
        self._late = self.loop.call_later(HEAD_TIMEOUT, self._close)

    def _head_is_there(self) -> None:
        self._head = None
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _close(self) -> None:
        self.transport.close()
