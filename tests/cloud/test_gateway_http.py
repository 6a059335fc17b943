"""What the gateway takes for HTTP/1.1, how it writes heads anew, and what it refuses."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from itertools import pairwise

import pytest
from cloud.gateway_harness import Deployment, Gateway, raw_replica, running_gateway
from hypothesis import given
from hypothesis import strategies as st

from bento_jupyter.cloud.gateway.bodies import ChunkedBody, FixedBody, HttpSyntaxError
from bento_jupyter.cloud.gateway.heads import find_head, parse_request, parse_response

HOST = b"Host: a\r\n"
POST = b"POST / HTTP/1.1\r\n%b"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def gateway() -> AsyncIterator[Gateway]:
    async with running_gateway() as gateway:
        yield gateway


# Each of these could mean one thing to the gateway and another to a replica.
REFUSED = {
    "length and chunked": (
        400,
        POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    "chunked and length": (
        400,
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    ),
    "two lengths": (400, POST + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde"),
    "the same length twice": (
        400,
        POST + b"Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd",
    ),
    "a list of lengths": (400, POST + b"Content-Length: 4, 4\r\n\r\nabcd"),
    "a signed length": (400, POST + b"Content-Length: +4\r\n\r\nabcd"),
    "a negative length": (400, POST + b"Content-Length: -4\r\n\r\nabcd"),
    "a hex length": (400, POST + b"Content-Length: 0x4\r\n\r\nabcd"),
    "an empty length": (400, POST + b"Content-Length: \r\n\r\nabcd"),
    "a length that overflows": (400, POST + b"Content-Length: 99999999999999999999\r\n\r\n"),
    "xchunked": (400, POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    "gzip, chunked": (501, POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    "chunked twice": (
        400,
        POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    "chunked then identity": (
        400,
        POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    ),
    "chunked in HTTP/1.0": (400, b"POST / HTTP/1.0\r\n%bTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "a space before the colon": (400, POST + b"Content-Length : 4\r\n\r\nabcd"),
    "a folded line": (400, b"GET / HTTP/1.1\r\n%bX: a\r\n b\r\n\r\n"),
    "a folded first line": (400, b"GET / HTTP/1.1\r\n X: a\r\n%b\r\n"),
    "a bare LF": (400, b"GET / HTTP/1.1\r\n%bX: a\nY: b\r\n\r\n"),
    "bare LFs only": (400, b"GET / HTTP/1.1\nHost: a\n\n"),
    "a bare LF after the request line": (400, b"GET / HTTP/1.1\n%b\r\n"),
    "a bare CR": (400, b"GET / HTTP/1.1\r\n%bX: a\rY: b\r\n\r\n"),
    "a NUL": (400, b"GET / HTTP/1.1\r\n%bX: a\x00b\r\n\r\n"),
    "a field without a name": (400, b"GET / HTTP/1.1\r\n%b: a\r\n\r\n"),
    "no Host": (400, b"GET / HTTP/1.1\r\n\r\n"),
    "two Hosts": (400, b"GET / HTTP/1.1\r\n%bHost: b\r\n\r\n"),
    "a space in the target": (400, b"GET /a b HTTP/1.1\r\n%b\r\n"),
    "a chunk longer than it says": (
        400,
        CHUNKED + b"2\r\nabc\r\n0\r\n\r\n",
    ),
    "a chunk size in words": (
        400,
        CHUNKED + b"four\r\nabcd\r\n0\r\n\r\n",
    ),
    "a chunk size with 0x": (
        400,
        CHUNKED + b"0x2\r\nab\r\n0\r\n\r\n",
    ),
    "a chunk size that overflows": (
        400,
        CHUNKED + b"10000000000000002\r\nab\r\n0\r\n\r\n",
    ),
    "a chunk line with a bare LF": (
        400,
        CHUNKED + b"2\nab\r\n0\r\n\r\n",
    ),
    "a chunk extension with a bare CR": (
        400,
        CHUNKED + b"2;a\rb\r\nab\r\n0\r\n\r\n",
    ),
    "trailer fields": (
        400,
        CHUNKED + b"0\r\nAuthorization: x\r\n\r\n",
    ),
    "CONNECT": (405, b"CONNECT a:1 HTTP/1.1\r\n%b\r\n"),
    "an unknown method": (400, b"NONSENSE / HTTP/1.1\r\n%b\r\n"),
    "HTTP/2": (505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "HTTP/3": (400, b"GET / HTTP/3.0\r\n%b\r\n"),
    "TLS": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    "a long head": (431, b"GET / HTTP/1.1\r\n%bX: " + b"a" * 70_000 + b"\r\n\r\n"),
    "a long head without end": (431, b"GET / HTTP/1.1\r\n%bX: " + b"a" * 70_000),
    "a long target": (431, b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n%b\r\n"),
}


@pytest.mark.anyio
@pytest.mark.parametrize("case", REFUSED)
async def test_it_is_refused_and_nothing_after_it_is_read(gateway: Gateway, case: str) -> None:
    status, request = REFUSED[case]
    reached: list[bytes] = []

    async def takes_note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            reached.append(data)

    deployment = await gateway.deploy()
    async with raw_replica(takes_note) as replica:
        deployment.replicas(replica)
        sent = request.replace(b"%b", HOST) + b"GET /smuggled HTTP/1.1\r\n" + HOST + b"\r\n"
        reply = await deployment.raw(sent)
    assert re.findall(rb"HTTP/1\.1 (\d+)", reply) == [b"%d" % status]
    assert b"Connection: close" in reply
    assert b'{"error": "bad request: ' in reply
    assert b"smuggled" not in b"".join(reached)


@pytest.mark.anyio
async def test_a_body_that_breaks_after_it_was_begun_ends_both_connections(gateway: Gateway) -> None:
    ended = asyncio.Event()

    async def reads(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"2\r\nab\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
        await reader.read()
        ended.set()

    deployment: Deployment = await gateway.deploy()
    async with raw_replica(reads) as replica:
        deployment.replicas(replica)
        reader, writer = await asyncio.open_connection("127.0.0.1", deployment.port)
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n")
        assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
        writer.write(b"nonsense\r\n")
        with suppress(ConnectionResetError):
            assert await asyncio.wait_for(reader.read(), 10) == b""
        await asyncio.wait_for(ended.wait(), 10)
        await deployment.load(in_flight=0)
        writer.close()


def test_a_head_to_the_replica_is_written_anew() -> None:
    head = parse_request(
        b"POST http://elsewhere:80/p?q=1 HTTP/1.1\r\nhost: a\r\nConnection: close, x-drop\r\nX-Drop: 1\r\n"
        b"Content-Length: 3\r\nAuthorization: Bearer t\r\nX-Forwarded-Proto: https\r\n"
        b"X-Forwarded-Host: public\r\nCookie: a=b\r\n\r\n"
    )
    assert (head.method, head.path, head.keep_alive, head.length) == (b"POST", b"/p", False, 3)
    assert head.to_replica(peer=b"1.2.3.4", request_id=b"id", with_authorization=True) == (
        b"POST /p?q=1 HTTP/1.1\r\nHost: a\r\nCookie: a=b\r\nContent-Length: 3\r\nAuthorization: Bearer t\r\n"
        b"X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\n"
        b"X-Forwarded-Host: public\r\nX-Request-Id: id\r\n\r\n"
    )
    assert b"Authorization" not in head.to_replica(peer=b"", request_id=b"", with_authorization=False)


@pytest.mark.parametrize(
    ("sent", "passed"),
    [
        (b"a=b; bento_jupyter_session=0123; c=d", b"Cookie: a=b; c=d\r\n"),
        (b"bento_jupyter_session=0123", b""),
        (b'bento_jupyter_session = "01;23";x=y', b'Cookie: 23"; x=y\r\n'),
        (b"a=bento_jupyter_session", b"Cookie: a=bento_jupyter_session\r\n"),
    ],
)
def test_the_owners_session_is_kept_from_services(sent: bytes, passed: bytes) -> None:
    head = parse_request(b"GET / HTTP/1.1\r\nHost: a\r\nCOOKIE: %b\r\n\r\n" % sent)
    written = head.to_replica(peer=b"", request_id=b"", with_authorization=True)
    assert written.startswith(b"GET / HTTP/1.1\r\nHost: a\r\n" + passed + b"X-Forwarded-For")


def test_fields_that_frame_the_message_cannot_be_named_away() -> None:
    head = parse_request(
        b"POST / HTTP/1.1\r\nHost: a\r\nConnection: content-length, host, x-forwarded-for\r\n"
        b"Content-Length: 3\r\n\r\n"
    )
    written = head.to_replica(peer=b"1.2.3.4", request_id=b"id", with_authorization=True)
    assert b"Content-Length: 3\r\n" in written
    assert b"Host: a\r\n" in written
    assert b"X-Forwarded-For: 1.2.3.4\r\n" in written


def test_an_upgrade_is_passed_on_and_an_offer_of_h2c_is_not() -> None:
    websocket = parse_request(
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n"
    )
    assert websocket.upgrade
    assert b"Connection: Upgrade\r\nUpgrade: websocket\r\n" in websocket.to_replica(
        peer=b"", request_id=b"", with_authorization=True
    )
    offer = parse_request(
        b"POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
        b"HTTP2-Settings: x\r\nContent-Length: 2\r\n\r\n"
    )
    assert not offer.upgrade
    written = offer.to_replica(peer=b"", request_id=b"", with_authorization=True).lower()
    assert b"upgrade" not in written
    assert b"http2-settings" not in written


@pytest.mark.parametrize(
    ("head", "keep_alive"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nConnection: Close\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\n\r\n", False),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n", True),
        (b"HTTP/1.1 200\r\n\r\n", True),
    ],
)
def test_a_response_says_whether_its_connection_is_kept(head: bytes, keep_alive: bool) -> None:
    assert parse_response(head).keep_alive is keep_alive


@given(st.binary(max_size=64), st.binary(max_size=64), st.integers(0, 128))
def test_a_fixed_body_ends_where_it_says_however_it_is_cut(body: bytes, rest: bytes, cut: int) -> None:
    whole = body + rest
    reader, taken = FixedBody(len(body)), b""
    for part in (whole[:cut], whole[cut:]):
        end = reader.take(part)
        taken += part[:end]
    assert (taken, reader.complete) == (body, True)


@given(st.lists(st.binary(min_size=1, max_size=40)), st.binary(max_size=40), st.lists(st.integers(0, 400)))
def test_a_chunked_body_ends_where_it_says_however_it_is_cut(
    chunks: list[bytes], rest: bytes, cuts: list[int]
) -> None:
    framed = b"".join(b"%X\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    whole = framed + rest
    edges = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    reader, taken = ChunkedBody(), b""
    content: list[bytes] = []
    for start, stop in pairwise(edges):
        part = whole[start:stop]
        taken += part[: reader.take(part, payload=content)]
    assert (taken, reader.complete) == (framed, True)
    assert b"".join(content) == b"".join(chunks)


@given(
    st.sampled_from([b"", b"GET / HTTP/1.1\r\nHost: a\r\n", b"POST ", b"HTTP/1.1 200 OK\r\n", b"HTTP/1."]),
    st.lists(
        st.binary(max_size=40) | st.sampled_from([b"\r\n", b": ", b"Connection: ", b" ", b"1"]), max_size=9
    ),
)
def test_no_bytes_make_the_parsers_fail_but_by_their_own_error(start: bytes, parts: list[bytes]) -> None:
    data = start + b"".join(parts) + b"\r\n\r\n"
    with suppress(HttpSyntaxError):
        parse_request(data[: find_head(data)])
    with suppress(HttpSyntaxError):
        parse_response(data[: find_head(data)])
    with suppress(HttpSyntaxError):
        ChunkedBody(trailers=True).take(data)
