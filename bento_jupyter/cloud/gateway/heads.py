"""Heads of HTTP/1.1: what a relay must understand of them, and how they are written anew. Pure.

A head is checked by httptools (llhttp in its strict mode) and by the rules that llhttp leaves to its user.
What has passed that is a list of well-formed lines: it is split into them, which is quicker than a callback
per field, and written again without those that belong to one hop only.
"""

from __future__ import annotations

import copy
import re
from urllib.parse import unquote_to_bytes

import httptools

from ..hosts import SESSION_COOKIE
from .bodies import EMPTY_BODY, Body, ChunkedBody, FixedBody, HttpSyntaxError, OpenBody

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
    b"cookie",
    b"expect",
    b"host",
    b"x-forwarded-for",
    b"x-forwarded-host",
    b"x-forwarded-proto",
    b"x-request-id",
}
_RESPONSE_FIELDS = _HOP_BY_HOP | {b"content-length", b"x-request-id"}

#: What says where the body ends is read to the letter: no white space but spaces.
_TAB_IN_FRAMING = re.compile(rb"\n(?:content-length|transfer-encoding):[^\r]*\t", re.IGNORECASE)
#: `Host`: a name, or an address in brackets, and a port; no empty label in the name.
_HOST = re.compile(rb"(?:\[[0-9A-Za-z:.%]+\]|(?!.*\.\.)[0-9A-Za-z._~%!$&'()*+;=-]+)(?::[0-9]*)?")
#: Values of `Host` that are known to be well-formed: callers use few.
_known_hosts: set[bytes] = set()
_BROKEN_CODE = re.compile(rb"%(?:00|(?![0-9A-Fa-f]{2}))")

#: httptools calls whoever has methods for it; here its verdict is all that is wanted.
_NOBODY = object()
_SESSION_COOKIE = SESSION_COOKIE.encode()
_BARE_LF = re.compile(rb"(?<!\r)\n")


class _Head:
    """What both kinds of heads have: fields that the gateway reads, and lines that it passes on."""

    __slots__ = ("_written", "chunked", "fields", "http10", "keep_alive", "length", "passed", "upgrade")

    def __init__(self, version: bytes, lines: list[bytes], handled: frozenset[bytes], upgrade: bool) -> None:
        if version not in (b"HTTP/1.1", b"HTTP/1.0"):
            raise HttpSyntaxError("only HTTP/1.1 is spoken here", status=505)
        #: For whom this head was last written, and how: on a connection the same one comes often.
        self._written: tuple[object, bytes] = (None, b"")
        self.http10 = version == b"HTTP/1.0"
        self.upgrade = upgrade
        self.length: int | None = None
        self.chunked = False
        self.keep_alive = not self.http10
        self.fields: dict[bytes, list[bytes]] = {}
        self.passed: list[bytes] = []
        for line in lines:
            name, _, value = line.partition(b":")
            key = name.lower()
            if key in handled:
                self.fields.setdefault(key, []).append(value.strip(b" \t"))
            else:
                self.passed.append(line)
        self._read_framing(handled)

    def _read_framing(self, handled: frozenset[bytes]) -> None:
        fields = self.fields
        if b"connection" in fields:
            tokens = {token.strip().lower() for value in fields[b"connection"] for token in value.split(b",")}
            self.keep_alive = b"close" not in tokens and (not self.http10 or b"keep-alive" in tokens)
            # A sender may name more of its fields hop-by-hop; those the gateway reads have their own rules.
            named = tokens - {b"close", b"keep-alive", b"upgrade", b""} - handled
            if named:
                self.passed = [line for line in self.passed if line.partition(b":")[0].lower() not in named]
        codings = fields.get(b"transfer-encoding")
        if codings is not None:
            if len(codings) != 1 or codings[0].lower() != b"chunked":
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
        return values[-1] if values else None

    def any_field(self, name: bytes) -> bytes | None:
        """The value of any field, by its name in small letters; the last one where there are several."""
        for line in reversed(self.passed):
            key, _, value = line.partition(b":")
            if key.lower() == name:
                return value.strip(b" \t")
        return self.field(name)


class RequestHead(_Head):
    """Head of a request.

    Attributes:
        method: As sent.
        target: Path and query, in origin form.
        path: `target` without the query.
        keep_alive: The caller wants the connection kept.
        http10: The caller speaks HTTP/1.0.
        length: `Content-Length`; None = not given.
        chunked: The body is chunked.
        upgrade: The caller asks for another protocol (WebSocket) on this connection.
        let_in_by: The policy that found nothing against it; for whoever asks to keep.
    """

    __slots__ = ("let_in_by", "method", "path", "target")

    def __init__(self, lines: list[bytes], upgrade: bool) -> None:
        try:
            self.method, self.target, version = lines[0].split(b" ")
        except ValueError:
            raise HttpSyntaxError("a request line has a method, a target and a version") from None
        super().__init__(version, lines[1:], _REQUEST_FIELDS, upgrade)
        hosts = self.fields.get(b"host", [])
        if len(hosts) > 1 or (not hosts and not self.http10):
            raise HttpSyntaxError("a request has exactly one Host")
        if hosts and hosts[0] not in _known_hosts:
            _check_host(hosts[0])
        if self.method in (b"CONNECT", b"TRACE"):
            raise HttpSyntaxError(f"{self.method.decode()} is not for this port", status=405)
        if not self.target.startswith(b"/"):
            # Absolute form (RFC 9112, section 3.2.2): what clients send that take this gateway for a proxy.
            _, separator, rest = self.target.partition(b"://")
            slash = rest.find(b"/")
            if not separator:
                raise HttpSyntaxError("the target of a request is a path")
            self.target = rest[slash:] if slash >= 0 else b"/"
        self.path = self.target.partition(b"?")[0]
        if b"%" in self.path or b"/." in self.path:
            _check_path(self.path)
        # An offer of h2c may be ignored (RFC 9110, section 7.8), and replicas speak HTTP/1.1.
        self.upgrade = self.upgrade and (self.field(b"upgrade") or b"").lower() != b"h2c"
        self.let_in_by: object = None

    @property
    def is_preflight(self) -> bool:
        """True for the question a browser asks before a cross-origin request; it cannot carry a token."""
        return self.method == b"OPTIONS" and any(
            line.lower().startswith(b"access-control-request-method:") for line in self.passed
        )

    def body(self) -> Body:
        """A fresh reader for the body of this request."""
        if self.chunked:
            return ChunkedBody()
        return FixedBody(self.length) if self.length else EMPTY_BODY

    def sent_later(self, target: bytes) -> RequestHead:
        """A copy for a call that is made when the caller has gone: nothing is expected, nor changed to."""
        later = copy.copy(self)
        later.target, later.path = target, target.partition(b"?")[0]
        later.fields = {name: values for name, values in self.fields.items() if name != b"expect"}
        later.upgrade = False
        later._written = (None, b"")
        return later

    def to_replica(
        self, *, peer: bytes, request_id: bytes, with_authorization: bool, proto: bytes = b"http"
    ) -> bytes:
        """This head as the replica gets it.

        `X-Forwarded-For` grows by `peer`; `-Proto` and `-Host` are kept when a proxy before us has set them.

        Args:
            peer: Address of the caller.
            request_id: Value of `X-Request-Id`.
            with_authorization: False leaves the caller's `Authorization` out.
            proto: What the caller speaks: `http` or `https`.
        """
        reader = (peer, with_authorization, proto)
        if self._written[0] != reader:
            self._written = (reader, self._lines_to_replica(peer, with_authorization, proto))
        return b"".join((self._written[1], request_id, b"\r\n\r\n"))

    def _lines_to_replica(self, peer: bytes, with_authorization: bool, proto: bytes) -> bytes:
        fields = self.fields
        host = self.field(b"host") or b"localhost"
        parts = [b"%b %b HTTP/1.1" % (self.method, self.target), b"Host: " + host, *self.passed]
        parts += [
            b"Cookie: %b" % kept for value in fields.get(b"cookie", ()) if (kept := _for_service(value))
        ]
        if self.chunked:
            parts.append(b"Transfer-Encoding: chunked")
        elif self.length is not None:
            parts.append(b"Content-Length: %d" % self.length)
        if with_authorization:
            parts += [b"Authorization: %b" % value for value in fields.get(b"authorization", ())]
        if b"expect" in fields and not self.http10:
            parts.append(b"Expect: %b" % fields[b"expect"][-1])
        if self.upgrade:
            parts.append(b"Connection: Upgrade\r\nUpgrade: %b" % fields[b"upgrade"][-1])
        parts.append(
            b"X-Forwarded-For: %b\r\nX-Forwarded-Proto: %b\r\nX-Forwarded-Host: %b\r\nX-Request-Id: "
            % (
                b", ".join([*fields[b"x-forwarded-for"], peer]) if b"x-forwarded-for" in fields else peer,
                self.field(b"x-forwarded-proto") or proto,
                self.field(b"x-forwarded-host") or host,
            )
        )
        return b"\r\n".join(parts)


class ResponseHead(_Head):
    """Head of a response.

    Attributes:
        status: Status code.
        reason: Reason phrase.
        keep_alive: The replica keeps the connection.
        length: `Content-Length`; None = not given.
        chunked: The body is chunked.
        is_interim: True for 1xx, after which the answer proper is still to come; 101 is an answer.
        plain_length: Length of the body that follows a request other than HEAD; None = it is not known by
            now.
    """

    __slots__ = ("_request_id", "is_interim", "plain_length", "reason", "status")

    def __init__(self, lines: list[bytes], upgrade: bool) -> None:
        try:
            version, status, *reason = lines[0].split(b" ", 2)
            self.status = int(status)
        except ValueError:
            raise HttpSyntaxError("a status line has a version and a status") from None
        self.reason = reason[0] if reason else b""
        super().__init__(version, lines[1:], _RESPONSE_FIELDS, upgrade)
        self.is_interim = 100 <= self.status < 200 and self.status != 101
        bodiless = self.status in (204, 304) or self.status < 200
        self.plain_length = 0 if bodiless else None if self.chunked else self.length
        given = self.field(b"x-request-id")
        self._request_id = b"X-Request-Id: %b\r\n\r\n" % given if given else b""

    def body(self, method: bytes) -> Body:
        """A reader for the body that follows, given the method that it answers (RFC 9112, section 6.3)."""
        if method == b"HEAD" or self.plain_length == 0:
            return EMPTY_BODY
        if self.chunked:
            return ChunkedBody(trailers=True)
        return OpenBody() if self.plain_length is None else FixedBody(self.plain_length)

    def to_caller(
        self, *, request_id: bytes, extra: bytes = b"", connection: bytes = b"", chunked: bool = True
    ) -> bytes:
        """This head as the caller gets it.

        Args:
            request_id: Value of `X-Request-Id`, unless the replica has given one.
            extra: More fields, each with its line end.
            connection: Value of `Connection`; empty = not said.
            chunked: False when the caller does not understand chunked bodies (HTTP/1.0).
        """
        reader = (connection, chunked)
        if self._written[0] != reader:
            self._written = (reader, self._lines_to_caller(connection, chunked))
        if self._request_id:
            return b"".join((self._written[1], extra, self._request_id))
        return b"".join((self._written[1], extra, b"X-Request-Id: ", request_id, b"\r\n\r\n"))

    def _lines_to_caller(self, connection: bytes, chunked: bool) -> bytes:
        parts = [b"HTTP/1.1 %d %b" % (self.status, self.reason), *self.passed]
        if self.status >= 200 and self.status != 204:
            if self.chunked and chunked:
                parts.append(b"Transfer-Encoding: chunked")
            elif self.length is not None:
                parts.append(b"Content-Length: %d" % self.length)
        if self.status == 101:
            parts.append(b"Connection: Upgrade\r\nUpgrade: %b" % (self.field(b"upgrade") or b"websocket"))
        elif connection:
            parts.append(b"Connection: %b" % connection)
        return b"\r\n".join(parts) + b"\r\n"


def _check_host(host: bytes) -> None:
    if _HOST.fullmatch(host) is None:
        raise HttpSyntaxError("Host is a name or an address, and a port")
    if len(_known_hosts) < 1000:
        _known_hosts.add(host)


def _check_path(path: bytes) -> None:
    """Refuse a path that others read as another one: they decode it, and go up where it says `..`."""
    if _BROKEN_CODE.search(path):
        raise HttpSyntaxError("a percent code in the path is none")
    depth = 0
    for segment in unquote_to_bytes(path).split(b"/"):
        if segment not in (b"", b"."):
            depth += -1 if segment == b".." else 1
        if depth < 0:
            raise HttpSyntaxError("the path leads above the root")


def _for_service(cookies: bytes) -> bytes:
    """Cookies without that of the control plane's pages: who has it is the owner, and services are not."""
    if _SESSION_COOKIE not in cookies:
        return cookies
    pairs = (pair.strip() for pair in cookies.split(b";"))
    return b"; ".join(pair for pair in pairs if pair.partition(b"=")[0].strip() != _SESSION_COOKIE)


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
    if b"\t" in head and _TAB_IN_FRAMING.search(head):
        raise HttpSyntaxError("a tab in what says where the body ends")
    upgrade = _check(httptools.HttpRequestParser(_NOBODY), head)
    return RequestHead(head[:-4].split(b"\r\n"), upgrade)


def parse_response(head: bytes) -> ResponseHead:
    """Read the head of a response.

    Args:
        head: Its bytes, as measured by `find_head`.

    Raises:
        HttpSyntaxError: It is not a head that this gateway takes.
    """
    upgrade = _check(httptools.HttpResponseParser(_NOBODY), head)
    return ResponseHead(head[:-4].split(b"\r\n"), upgrade)


def _check(parser: httptools.HttpRequestParser | httptools.HttpResponseParser, head: bytes) -> bool:
    """Let httptools check a head; True when it asks for (or announces) another protocol.

    One parser per head: what follows the head is framed by `Body`, which knows where it ends.
    """
    try:
        parser.feed_data(head)
    except httptools.HttpParserUpgrade:
        return True
    except httptools.HttpParserError as error:
        raise HttpSyntaxError(str(error) or "not HTTP/1.1") from error
    return False
