"""Bodies of HTTP/1.1: how far one reaches into the bytes at hand. Pure.

A body is never taken apart or put together again: a `Body` says how many of the bytes belong to it, and
exactly those are passed on. What two parsers could read differently is refused: no request is smuggled
into another (RFC 9112, section 11.2).
"""

from __future__ import annotations

import re

__all__ = ["EMPTY_BODY", "Body", "ChunkedBody", "FixedBody", "HttpSyntaxError", "OpenBody"]

#: Longest line of chunked framing (size and extensions, or one trailer field), in bytes.
MAX_CHUNK_LINE = 8 * 1024

_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:;[\t\x20-\x7e\x80-\xff]*)?\r\n")
_TRAILER_LINE = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n")


class HttpSyntaxError(Exception):
    """What came is not HTTP/1.1 as this gateway takes it.

    Args:
        message: What is wrong with it.
        status: The status to answer a caller with.
    """

    def __init__(self, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


class Body:
    """The part of a message after its head.

    Attributes:
        complete: True once its last byte was seen.
    """

    __slots__ = ("complete",)

    def __init__(self) -> None:
        self.complete = False

    def take(self, data: bytes, start: int = 0, payload: list[bytes] | None = None) -> int:
        """How far into `data` this body reaches.

        Args:
            data: Bytes as they came.
            start: Where in them to begin.
            payload: Gets the content without its framing; None = nobody wants it.

        Returns:
            Index after the last byte that belongs to this body.

        Raises:
            HttpSyntaxError: The framing is broken.
        """
        raise NotImplementedError


class FixedBody(Body):
    """A body whose length was announced by `Content-Length`.

    Example:
        >>> FixedBody(3).take(b"abcGET /")
        3
    """

    __slots__ = ("_left",)

    def __init__(self, length: int) -> None:
        super().__init__()
        self._left = length
        self.complete = length == 0

    def take(self, data: bytes, start: int = 0, payload: list[bytes] | None = None) -> int:
        """See `Body.take`."""
        end = min(start + self._left, len(data))
        self._left -= end - start
        self.complete = self._left == 0
        if payload is not None and end > start:
            payload.append(data[start:end])
        return end


#: The body of a message that has none; it has nothing that could change, so it serves for all of them.
EMPTY_BODY = FixedBody(0)


class OpenBody(Body):
    """The body of a response that ends when the connection does; `complete` is set by whoever sees that."""

    __slots__ = ()

    def take(self, data: bytes, start: int = 0, payload: list[bytes] | None = None) -> int:
        """See `Body.take`: everything."""
        if payload is not None:
            payload.append(data[start:] if start else data)
        return len(data)


class ChunkedBody(Body):
    r"""A body in chunked transfer coding (RFC 9112, section 7.1), held to the letter of its grammar.

    Args:
        trailers: Whether fields after the last chunk are accepted. Not in requests: some servers merge them
            into the header fields, past all checks.

    Example:
        >>> body = ChunkedBody(); content = []
        >>> body.take(b"3\r\nabc\r\n0\r\n\r\nGET /", payload=content), content, body.complete
        (13, [b'abc'], True)
    """

    __slots__ = ("_left", "_line", "_state", "_trailers")

    _SIZE, _DATA, _DATA_END, _TRAILER = range(4)

    def __init__(self, *, trailers: bool = False) -> None:
        super().__init__()
        self._trailers = trailers
        self._state = self._SIZE
        self._left = 0
        self._line = b""

    def take(self, data: bytes, start: int = 0, payload: list[bytes] | None = None) -> int:
        """See `Body.take`."""
        position, end = start, len(data)
        while position < end and not self.complete:
            if self._state == self._DATA:
                after = min(position + self._left, end)
                if payload is not None:
                    payload.append(data[position:after])
                self._left -= after - position
                position = after
                if not self._left:
                    self._state = self._DATA_END
                continue
            newline = data.find(b"\n", position)
            after = end if newline < 0 else newline + 1
            self._line += data[position:after]
            position = after
            if len(self._line) > MAX_CHUNK_LINE:
                raise HttpSyntaxError("a line of the chunked body is too long")
            if newline >= 0:
                line, self._line = self._line, b""
                self._end_of_line(line)
        return position

    def _end_of_line(self, line: bytes) -> None:
        if self._state == self._DATA_END:
            if line != b"\r\n":
                raise HttpSyntaxError("a chunk is longer than its size says")
            self._state = self._SIZE
        elif self._state == self._SIZE:
            match = _CHUNK_LINE.fullmatch(line)
            if match is None:
                raise HttpSyntaxError("a chunk size cannot be read")
            self._left = int(match[1], 16)
            self._state = self._DATA if self._left else self._TRAILER
        elif line == b"\r\n":
            self.complete = True
        elif not self._trailers or _TRAILER_LINE.fullmatch(line) is None:
            raise HttpSyntaxError("trailer fields are not accepted")
