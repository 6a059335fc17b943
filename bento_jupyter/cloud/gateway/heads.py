"""Heads of HTTP/1.1: what a relay must understand of them, and how they are written anew. Pure.

A head is checked by httptools (llhttp in its strict mode) and by the rules that llhttp leaves to its user,
then written without what belongs to one hop only.
"""

from __future__ import annotations

import re

import httptools

from .bodies import Body, ChunkedBody, FixedBody, HttpSyntaxError, OpenBody

__all__ = ["MAX_HEAD", "RequestHead", "ResponseHead", "find_head", "parse_request", "parse_response"]

#: Longest head (request or status line and fields) in bytes; 431 above.
MAX_HEAD = 64 * 1024

#: Fields that speak to the next hop only (RFC 9110, section 7.6.1), none of which a relay passes on.
_HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"transfer-encoding",
        b"upgrade",
    }
)
#: Fields of a request that the gateway reads, and writes anew where they go further.
_REQUEST_FIELDS = _HOP_BY_HOP | {
    b"authorization",
    b"content-length",
    b"expect",
    b"host",
    b"x-forwarded-for",
    b"x-forwarded-host",
    b"x-forwarded-proto",
    b"x-request-id",
}
_RESPONSE_FIELDS = _HOP_BY_HOP | {b"content-length"}

_BARE_LF = re.compile(rb"(?<!\r)\n")


class _Head:
    """What both kinds of heads have; filled by httptools' callbacks."""

    __slots__ = ("chunked", "fields", "http10", "keep_alive", "length", "passed", "upgrade")

    def __init__(self) -> None:
        self.fields: dict[bytes, list[bytes]] = {}
        self.passed: list[tuple[bytes, bytes]] = []
        self.length: int | None = None
        self.chunked = False
        self.keep_alive = False
        self.http10 = False
        self.upgrade = False

    def _read_framing(self, version: str, handled: frozenset[bytes]) -> None:
        if version not in ("1.1", "1.0"):
            raise HttpSyntaxError(f"HTTP/{version} is not spoken here", status=505)
        self.http10 = version == "1.0"
        fields = self.fields
        if b"connection" in fields:
            tokens = {token.strip().lower() for value in fields[b"connection"] for token in value.split(b",")}
            self.keep_alive = b"close" not in tokens and (not self.http10 or b"keep-alive" in tokens)
            # A sender may name more of its fields hop-by-hop; those the gateway reads have their own rules.
            named = tokens - {b"close", b"keep-alive", b"upgrade", b""} - handled
            if named:
                self.passed = [(key, line) for key, line in self.passed if key not in named]
        else:
            self.keep_alive = not self.http10
        codings = fields.get(b"transfer-encoding")
        if codings is not None:
            if len(codings) != 1 or codings[0].strip().lower() != b"chunked":
                raise HttpSyntaxError("the only Transfer-Encoding understood is 'chunked'", status=501)
            if self.http10:
                raise HttpSyntaxError("HTTP/1.0 has no Transfer-Encoding")
            self.chunked = True
        lengths = fields.get(b"content-length")
        if lengths is not None:
            if self.chunked or len(lengths) != 1:
                raise HttpSyntaxError("more than one length given")
            self.length = int(lengths[0])  # digits only: llhttp has checked

    def field(self, name: bytes) -> bytes | None:
        """The value of a field that the gateway reads; the last one where there are several."""
        values = self.fields.get(name)
        return values[-1].strip() if values else None


class RequestHead(_Head):
    """Head of a request.

    Attributes:
        method: As sent.
        target: Path and query, in origin form (or `*`).
        path: `target` without the query.
        keep_alive: The caller wants the connection kept.
        http10: The caller speaks HTTP/1.0.
        length: `Content-Length`; None = not given.
        chunked: The body is chunked.
        upgrade: The caller asks for another protocol (WebSocket) on this connection.
    """

    __slots__ = ("method", "path", "target")

    def __init__(self) -> None:
        super().__init__()
        self.method = b""
        self.target = b""
        self.path = b""

    def on_url(self, url: bytes) -> None:
        """Callback of httptools."""
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Callback of httptools."""
        key = name.lower()
        if key in _REQUEST_FIELDS:
            self.fields.setdefault(key, []).append(value)
        else:
            self.passed.append((key, b"%b: %b\r\n" % (name, value)))

    def finish(self, version: str) -> None:
        """Check and read what httptools left to us.

        Raises:
            HttpSyntaxError: A field or the target is not acceptable.
        """
        self._read_framing(version, _REQUEST_FIELDS)
        hosts = self.fields.get(b"host", [])
        if len(hosts) > 1 or (not hosts and not self.http10):
            raise HttpSyntaxError("a request has exactly one Host")
        if self.method == b"CONNECT":
            raise HttpSyntaxError("CONNECT is for proxies", status=405)
        if not self.target.startswith(b"/") and self.target != b"*":
            # Absolute form (RFC 9112, section 3.2.2): what clients send that take this gateway for a proxy.
            _, separator, rest = self.target.partition(b"://")
            slash = rest.find(b"/")
            if not separator:
                raise HttpSyntaxError("the target of a request is a path")
            self.target = rest[slash:] if slash >= 0 else b"/"
        self.path = self.target.partition(b"?")[0]
        # An offer of h2c may be ignored (RFC 9110, section 7.8), and replicas speak HTTP/1.1.
        self.upgrade = self.upgrade and (self.field(b"upgrade") or b"").lower() != b"h2c"

    @property
    def is_preflight(self) -> bool:
        """True for the question a browser asks before a cross-origin request; it cannot carry a token."""
        return self.method == b"OPTIONS" and any(
            key == b"access-control-request-method" for key, _ in self.passed
        )

    def body(self) -> Body:
        """A fresh reader for the body of this request."""
        return ChunkedBody() if self.chunked else FixedBody(self.length or 0)

    def to_replica(self, *, peer: bytes, request_id: bytes, with_authorization: bool) -> bytes:
        """This head as the replica gets it.

        `X-Forwarded-For` grows by `peer`; `-Proto` and `-Host` are kept when a proxy before us has set them.

        Args:
            peer: Address of the caller.
            request_id: Value of `X-Request-Id`.
            with_authorization: False leaves the caller's `Authorization` out.
        """
        fields = self.fields
        host = self.field(b"host") or b"localhost"
        forwarded_for = b", ".join([*fields.get(b"x-forwarded-for", ()), peer])
        parts = [b"%b %b HTTP/1.1\r\nHost: %b\r\n" % (self.method, self.target, host)]
        parts += [line for _, line in self.passed]
        if self.chunked:
            parts.append(b"Transfer-Encoding: chunked\r\n")
        elif self.length is not None:
            parts.append(b"Content-Length: %d\r\n" % self.length)
        if with_authorization:
            parts += [b"Authorization: %b\r\n" % value for value in fields.get(b"authorization", ())]
        if b"expect" in fields and not self.http10:
            parts.append(b"Expect: %b\r\n" % fields[b"expect"][-1])
        if self.upgrade:
            parts.append(b"Connection: Upgrade\r\nUpgrade: %b\r\n" % fields[b"upgrade"][-1])
        parts.append(b"X-Request-Id: %b\r\nX-Forwarded-For: %b\r\n" % (request_id, forwarded_for))
        parts.append(b"X-Forwarded-Proto: %b\r\n" % (self.field(b"x-forwarded-proto") or b"http"))
        parts.append(b"X-Forwarded-Host: %b\r\n\r\n" % (self.field(b"x-forwarded-host") or host))
        return b"".join(parts)


class ResponseHead(_Head):
    """Head of a response.

    Attributes:
        status: Status code.
        reason: Reason phrase.
        keep_alive: The replica keeps the connection.
        length: `Content-Length`; None = not given.
        chunked: The body is chunked.
    """

    __slots__ = ("reason", "status")

    def __init__(self) -> None:
        super().__init__()
        self.status = 0
        self.reason = b""

    def on_status(self, reason: bytes) -> None:
        """Callback of httptools."""
        self.reason += reason

    def on_header(self, name: bytes, value: bytes) -> None:
        """Callback of httptools."""
        key = name.lower()
        if key in _RESPONSE_FIELDS:
            self.fields.setdefault(key, []).append(value)
        else:
            self.passed.append((key, b"%b: %b\r\n" % (name, value)))

    def finish(self, version: str) -> None:
        """Check and read what httptools left to us.

        Raises:
            HttpSyntaxError: A field is not acceptable.
        """
        self._read_framing(version, _RESPONSE_FIELDS)

    @property
    def is_interim(self) -> bool:
        """True for 1xx, after which the answer proper is still to come; 101 is an answer."""
        return 100 <= self.status < 200 and self.status != 101

    def body(self, method: bytes) -> Body:
        """A reader for the body that follows, given the method that it answers (RFC 9112, section 6.3)."""
        if method == b"HEAD" or self.status in (204, 304) or self.status < 200:
            return FixedBody(0)
        if self.chunked:
            return ChunkedBody(trailers=True)
        return OpenBody() if self.length is None else FixedBody(self.length)

    def to_caller(self, *, extra: bytes = b"", connection: bytes = b"", chunked: bool = True) -> bytes:
        """This head as the caller gets it.

        Args:
            extra: More fields, each with its line end.
            connection: Value of `Connection`; empty = not said.
            chunked: False when the caller does not understand chunked bodies (HTTP/1.0).
        """
        parts = [b"HTTP/1.1 %d %b\r\n" % (self.status, self.reason)]
        parts += [line for _, line in self.passed]
        if self.chunked and chunked and self.status >= 200 and self.status != 204:
            parts.append(b"Transfer-Encoding: chunked\r\n")
        elif self.length is not None and self.status >= 200 and self.status != 204:
            parts.append(b"Content-Length: %d\r\n" % self.length)
        if self.status == 101:
            parts.append(b"Connection: Upgrade\r\nUpgrade: %b\r\n" % (self.field(b"upgrade") or b"websocket"))
        elif connection:
            parts.append(b"Connection: %b\r\n" % connection)
        parts += (extra, b"\r\n")
        return b"".join(parts)


def find_head(data: bytes) -> int:
    """Length of the head at the start of `data`, its empty line included; 0 while it is not all there.

    Raises:
        HttpSyntaxError: It is too long, or a line ends with a bare LF.
    """
    end = data.find(b"\r\n\r\n") + 4
    head_so_far = end if end > 3 else len(data)
    if head_so_far > MAX_HEAD:
        raise HttpSyntaxError(f"the head is longer than {MAX_HEAD} bytes", status=431)
    if end > 3:
        return end
    if _BARE_LF.search(data):
        raise HttpSyntaxError("a line of the head ends with a bare LF")
    return 0


def parse_request(head: bytes) -> RequestHead:
    """Read the head of a request.

    Args:
        head: Its bytes, as measured by `find_head`.

    Raises:
        HttpSyntaxError: It is not a head that this gateway takes.
    """
    request = RequestHead()
    parser = httptools.HttpRequestParser(request)
    request.upgrade = _feed(parser, head)
    request.method = parser.get_method()
    request.finish(parser.get_http_version())
    return request


def parse_response(head: bytes) -> ResponseHead:
    """Read the head of a response.

    Args:
        head: Its bytes, as measured by `find_head`.

    Raises:
        HttpSyntaxError: It is not a head that this gateway takes.
    """
    response = ResponseHead()
    parser = httptools.HttpResponseParser(response)
    response.upgrade = _feed(parser, head)
    response.status = parser.get_status_code()
    response.finish(parser.get_http_version())
    return response


def _feed(parser: httptools.HttpRequestParser | httptools.HttpResponseParser, head: bytes) -> bool:
    """Give a head to httptools; True when it asks for (or announces) another protocol.

    One parser per head: what follows the head is framed by `Body`, which knows where it ends.
    """
    try:
        parser.feed_data(head)
    except httptools.HttpParserUpgrade:
        return True
    except httptools.HttpParserError as error:
        raise HttpSyntaxError(str(error) or "not HTTP/1.1") from error
    return False
