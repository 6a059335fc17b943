"""The gateway as callers, replicas and the control plane meet it: a real process, real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import re
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import wsproto
from cloud.gateway_harness import (
    DEADLINE,
    Deployment,
    Gateway,
    Replica,
    answer,
    answer_everything,
    asgi_replica,
    raw_replica,
    read_head,
    running_gateway,
    until,
)
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def gateway() -> AsyncIterator[Gateway]:
    async with running_gateway() as gateway:
        yield gateway


class Echo:
    """Sends each piece of the body back as it comes; a `StreamingResponse` would swallow some of them."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        more = True
        while more:
            message = await receive()
            more = message.get("more_body", False)
            await send({"type": "http.response.body", "body": message.get("body", b""), "more_body": more})


class Bento:
    """An app that does what served Bentos do, and can be held up by the test."""

    def __init__(self) -> None:
        self.running = 0
        self.most = 0
        self.order: list[str] = []
        self.gate = asyncio.Event()
        self.next_event = asyncio.Event()
        self.stream_ended = False
        self.received = 0
        self.app = Starlette(
            routes=[
                Route("/request", self.request, methods=["GET", "POST", "OPTIONS", "HEAD"]),
                Route("/echo", Echo(), methods=["POST"]),
                Route("/upload", self.upload, methods=["POST"]),
                Route("/download", self.download),
                Route("/events", self.events),
                Route("/hold/{name}", self.hold, methods=["GET", "POST"]),
                Route("/empty", lambda request: Response(status_code=204)),
                Route("/unchanged", lambda request: Response(status_code=304, headers={"etag": '"1"'})),
                Route("/early", lambda request: PlainTextResponse("too large", 413), methods=["POST"]),
                Route("/readyz", lambda request: PlainTextResponse("\n")),
                Route("/livez", lambda request: PlainTextResponse("the replica")),
                WebSocketRoute("/ws", self.websocket),
            ]
        )

    async def request(self, request: Request) -> Response:
        body = (await request.body()).decode()
        return JSONResponse({"headers": request.headers.items(), "body": body, "url": str(request.url)})

    async def upload(self, request: Request) -> Response:
        digest = hashlib.sha256()
        async for piece in request.stream():
            self.received += len(piece)
            digest.update(piece)
        return PlainTextResponse(digest.hexdigest())

    async def download(self, request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(int(request.query_params["mb"])):
                yield b"x" * 1_000_000

        return StreamingResponse(pieces())

    async def events(self, request: Request) -> Response:
        async def events() -> AsyncIterator[str]:
            try:
                for number in range(3):
                    yield f"data: {number}\n\n"
                    await self.next_event.wait()
                    self.next_event.clear()
            finally:
                self.stream_ended = True

        return StreamingResponse(events(), media_type="text/event-stream")

    async def hold(self, request: Request) -> Response:
        self.running += 1
        self.most = max(self.most, self.running)
        self.order.append(request.path_params["name"])
        await self.gate.wait()
        await asyncio.sleep(0)
        self.running -= 1
        return PlainTextResponse(request.path_params["name"])

    async def websocket(self, websocket: WebSocket) -> None:
        await websocket.accept()
        async for text in websocket.iter_text():
            await websocket.send_text(text.upper())


# Plain requests


async def test_get_and_post_reach_the_replica_and_come_back(gateway: Gateway) -> None:
    deployment = await gateway.deploy()
    async with asgi_replica(Bento().app) as replica, deployment.client() as client:
        deployment.replicas(replica)
        seen = (await client.get("/request?a=1&b=%20")).json()
        assert seen["url"].endswith("/request?a=1&b=%20")
        posted = await client.post("/request", content="Grüße", headers={"Content-Type": "text/x"})
        assert posted.status_code == 200
        assert posted.json()["body"] == "Grüße"
        assert ["content-type", "text/x"] in posted.json()["headers"]


async def test_head_204_and_304_have_no_body_and_keep_the_connection(gateway: Gateway) -> None:
    deployment = await gateway.deploy()
    async with asgi_replica(Bento().app) as replica:
        deployment.replicas(replica)
        reply = await deployment.raw(
            b"HEAD /request HTTP/1.1\r\nHost: a\r\n\r\n"
            b"GET /empty HTTP/1.1\r\nHost: a\r\n\r\n"
            b"GET /unchanged HTTP/1.1\r\nHost: a\r\n\r\n"
            b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        )
    assert re.findall(rb"HTTP/1.1 (\d+)", reply) == [b"200", b"204", b"304", b"200"]
    assert reply.count(b"\r\n\r\n") == 4
    assert reply.endswith(b"\r\n\r\nthe replica")


async def test_hop_by_hop_fields_stay_here_and_forwarded_fields_are_added(gateway: Gateway) -> None:
    deployment = await gateway.deploy()
    async with asgi_replica(Bento().app) as replica, deployment.client() as client:
        deployment.replicas(replica)
        response = await client.get(
            "/request",
            headers={
                "Connection": "keep-alive, X-Mine",
                "X-Mine": "1",
                "Keep-Alive": "timeout=5",
                "TE": "trailers",
                "Proxy-Authorization": "Basic x",
                "X-Request-Id": "mine",
                "X-Forwarded-For": "10.0.0.1",
                "X-Other": "kept",
            },
        )
        headers = dict(response.json()["headers"])
        assert not {"connection", "x-mine", "keep-alive", "te", "proxy-authorization"} & headers.keys()
        assert headers["x-other"] == "kept"
        assert headers["x-request-id"] == response.headers["x-request-id"] == "mine"
        assert headers["x-forwarded-for"] == "10.0.0.1, 127.0.0.1"
        assert headers["x-forwarded-proto"] == "http"
        assert headers["x-forwarded-host"] == headers["host"] == f"127.0.0.1:{deployment.port}"
        first, second = [(await client.get("/request")).headers["x-request-id"] for _ in range(2)]
        assert first != second


async def test_connections_to_the_replica_are_reused(gateway: Gateway) -> None:
    deployment = await gateway.deploy()
    async with raw_replica(answer_everything) as replica:
        deployment.replicas(replica)
        for _ in range(3):
            async with deployment.client() as client:
                for _ in range(20):
                    assert (await client.get("/")).text == "ok"
        assert replica.connections == 1


async def test_the_same_head_again_is_a_request_of_its_own(gateway: Gateway) -> None:
    deployment = await gateway.deploy()
    head = b"POST /request HTTP/1.1\r\nHost: a\r\nX-Who: %b\r\nContent-Length: 3\r\n\r\n%b"
    last = b"GET /request HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    sent = [(b"x", b"one"), (b"x", b"two"), (b"y", b"tre"), (b"x", b"for")]
    async with asgi_replica(Bento().app) as replica:
        deployment.replicas(replica)
        reply = await deployment.raw(b"".join(head % each for each in sent) + last)
    found = re.findall(rb"\r\n\r\n(\{.*?\})(?=HTTP/1.1|$)", reply, re.DOTALL)
    seen = [json.loads(each) for each in found]
    assert [each["body"] for each in seen] == ["one", "two", "tre", "for", ""]
    fields = [dict(each["headers"]) for each in seen]
    assert [each.get("x-who") for each in fields] == ["x", "x", "y", "x", None]
    assert len({each["x-request-id"] for each in fields}) == 5


async def test_pipelined_requests_are_answered_in_order(gateway: Gateway) -> None:
    deployment = await gateway.deploy()
    async with asgi_replica(Bento().app) as replica:
        deployment.replicas(replica)
        requests = [
            b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\none",
            b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"2\r\ntw\r\n1\r\no\r\n0\r\n\r\n",
            b"\r\nPOST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\nthree",
        ]
        whole = await deployment.raw(b"".join(requests))
        contents = re.findall(rb"\r\n\r\n.*?(one|two|tw\r\n1\r\no|three)", whole, re.DOTALL)
        assert [content.replace(b"\r\n1\r\n", b"") for content in contents] == [b"one", b"two", b"three"]


async def test_a_request_that_comes_byte_by_byte_is_understood(gateway: Gateway) -> None:
    deployment = await gateway.deploy()
    async with asgi_replica(Bento().app) as replica:
        deployment.replicas(replica)
        reader, writer = await asyncio.open_connection("127.0.0.1", deployment.port)
        sent = (
            b"POST /request HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        )
        for index in range(len(sent)):
            writer.write(sent[index : index + 1])
            await writer.drain()
            await asyncio.sleep(0)
        assert b'"body":"abcde"' in await asyncio.wait_for(reader.read(), DEADLINE)
        writer.close()


async def test_http10_callers_get_no_chunks_and_their_connection_ends(gateway: Gateway) -> None:
    deployment = await gateway.deploy()
    async with asgi_replica(Bento().app) as replica:
        deployment.replicas(replica)
        reply = await deployment.raw(b"POST /echo HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello")
        head, content = reply.split(b"\r\n\r\n", 1)
        assert content == b"hello"
        assert b"transfer-encoding" not in head.lower()
        kept = await deployment.raw(
            b"GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /livez HTTP/1.0\r\n\r\n"
        )
        assert kept.count(b"HTTP/1.1 200 OK") == 2
        assert b"Connection: keep-alive" in kept
        assert b"Connection: close" in kept


async def test_100_continue_comes_from_the_replica(gateway: Gateway) -> None:
    deployment = await gateway.deploy()
    async with asgi_replica(Bento().app) as replica:
        reader, writer = await asyncio.open_connection("127.0.0.1", deployment.port)
        writer.write(
            b"POST /request HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nConnection: close\r\n"
            b"Content-Length: 4\r\n\r\n"
        )
        await deployment.load(waiting=1)
        deployment.replicas(replica)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 Continue")
        writer.write(b"body")
        assert b"body" in await asyncio.wait_for(reader.read(), DEADLINE)
        writer.close()


async def test_an_answer_given_before_the_body_was_sent_is_read_by_the_caller(gateway: Gateway) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 9\r\n\r\ntoo large")
        await reader.read()

    deployment = await gateway.deploy()
    async with raw_replica(refuse) as replica, deployment.client() as client:
        deployment.replicas(replica)
        response = await client.post("/early", content=b"x" * 5_000_000)
        assert (response.status_code, response.text) == (413, "too large")
        assert response.headers["connection"] == "close"


async def test_an_answer_without_length_ends_with_the_connection(gateway: Gateway) -> None:
    async def until_close(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.0 200 OK\r\n\r\nall")
        await writer.drain()
        writer.write(b" of it")

    deployment = await gateway.deploy()
    async with raw_replica(until_close) as replica, deployment.client() as client:
        deployment.replicas(replica)
        assert (await client.get("/")).text == "all of it"


# Streams


async def test_events_arrive_as_they_are_sent(gateway: Gateway) -> None:
    deployment, bento = await gateway.deploy(), Bento()
    async with asgi_replica(bento.app) as replica, deployment.client() as client:
        deployment.replicas(replica)
        async with client.stream("GET", "/events") as response:
            lines = response.aiter_lines()
            for number in range(3):
                # The next event is sent only after this one has arrived.
                assert await asyncio.wait_for(anext(lines), DEADLINE) == f"data: {number}"
                assert await anext(lines) == ""
                bento.next_event.set()


async def test_a_caller_that_leaves_a_stream_ends_it(gateway: Gateway) -> None:
    deployment, bento = await gateway.deploy(concurrency=1), Bento()
    async with asgi_replica(bento.app) as replica, deployment.client() as client:
        deployment.replicas(replica)
        async with client.stream("GET", "/events") as response:
            assert await anext(response.aiter_lines()) == "data: 0"
        await until(lambda: bento.stream_ended)
        await deployment.load(in_flight=0)


async def test_chunked_bodies_pass_in_both_directions(gateway: Gateway) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for number in range(100):
            yield b"%d," % number

    deployment = await gateway.deploy()
    async with asgi_replica(Bento().app) as replica, deployment.client() as client:
        deployment.replicas(replica)
        response = await client.post("/echo", content=pieces())
        assert response.headers["transfer-encoding"] == "chunked"
        assert response.text == "".join(f"{number}," for number in range(100))


async def test_websocket_messages_pass_in_both_directions(gateway: Gateway) -> None:
    deployment = await gateway.deploy()
    async with asgi_replica(Bento().app) as replica:
        deployment.replicas(replica)
        reader, writer = await asyncio.open_connection("127.0.0.1", deployment.port)
        websocket = wsproto.WSConnection(wsproto.ConnectionType.CLIENT)

        async def next_event() -> wsproto.events.Event:
            while True:
                for event in websocket.events():
                    return event
                data = await asyncio.wait_for(reader.read(65536), DEADLINE)
                websocket.receive_data(data or None)

        writer.write(websocket.send(wsproto.events.Request(host="a", target="/ws")))
        assert isinstance(await next_event(), wsproto.events.AcceptConnection)
        for text in ("one", "two" * 50_000):
            writer.write(websocket.send(wsproto.events.TextMessage(text)))
            whole = ""
            while len(whole) < len(text):
                event = await next_event()
                assert isinstance(event, wsproto.events.TextMessage)
                whole += event.data
            assert whole == text.upper()
        await deployment.load(in_flight=1, requests=1)
        writer.write(websocket.send(wsproto.events.CloseConnection(1000)))
        assert isinstance(await next_event(), wsproto.events.CloseConnection)
        writer.close()
        await deployment.load(in_flight=0)


async def test_100_mb_pass_both_ways_in_constant_memory() -> None:
    size = 100_000_000

    def pieces() -> Iterator[bytes]:
        for _ in range(size // 1_000_000):
            yield b"y" * 1_000_000

    async def stream() -> AsyncIterator[bytes]:
        for piece in pieces():
            yield piece

    bento = Bento()
    async with running_gateway() as gateway, asgi_replica(bento.app) as replica:
        deployment = await gateway.deploy()
        deployment.replicas(replica)
        most = 0

        async def watch() -> None:
            nonlocal most
            while True:
                most = max(most, gateway.memory)
                await asyncio.sleep(0.01)

        watching = asyncio.create_task(watch())
        async with deployment.client() as client:
            digest = hashlib.sha256(b"y" * size).hexdigest()
            sized = await client.post("/upload", content=stream(), headers={"Content-Length": str(size)})
            assert sized.text == digest
            chunked = await client.post("/upload", content=stream())
            assert chunked.text == digest
            read = 0
            async with client.stream("GET", "/download?mb=100") as response:
                async for piece in response.aiter_raw():
                    read += len(piece)
                    if read < 3_000_000:
                        await asyncio.sleep(0.01)  # A reader slower than the replica.
        watching.cancel()
        assert read == size
        assert most < 60_000_000


# The queue


async def test_requests_at_zero_replicas_wait_and_are_answered_in_order_under_the_cap(
    gateway: Gateway,
) -> None:
    deployment, bento = await gateway.deploy(concurrency=4), Bento()
    bento.gate.set()
    async with asgi_replica(bento.app) as replica, deployment.client() as client:
        calls = []
        for number in range(10):  # One after the other, so that there is an order to keep.
            calls.append(asyncio.create_task(client.get(f"/hold/{number}")))
            await deployment.load(waiting=number + 1)
        calls += [asyncio.create_task(client.get(f"/hold/{number}")) for number in range(10, 50)]
        await deployment.load(waiting=50)
        assert bento.order == []
        deployment.replicas(replica)
        responses = await asyncio.gather(*calls)
        assert [response.text for response in responses] == [str(number) for number in range(50)]
        assert bento.order[:10] == [str(number) for number in range(10)]
        assert sorted(map(int, bento.order)) == list(range(50))
        assert bento.most <= 4
        assert len(deployment.heard("wake")) == 1
        final = await deployment.load(waiting=0, in_flight=0)
        assert (final["requests"], final["errors"], final["per_replica"]) == (50, 0, {replica.id: 0})
        timing = responses[-1].headers["server-timing"]
        assert re.fullmatch(r"queue;dur=[\d.]+, cold;dur=[\d.]+, upstream;dur=[\d.]+", timing)
        assert "cold" not in (await client.get("/hold/x")).headers["server-timing"]


async def test_the_cap_holds_with_several_replicas_and_they_share_the_work(gateway: Gateway) -> None:
    deployment, one, other = await gateway.deploy(concurrency=2), Bento(), Bento()
    async with (
        asgi_replica(one.app) as first,
        asgi_replica(other.app) as second,
        deployment.client() as client,
    ):
        deployment.replicas(first, second)
        calls = [asyncio.create_task(client.get(f"/hold/{number}")) for number in range(7)]
        load = await deployment.load(in_flight=4, waiting=3)
        assert load["per_replica"] == {first.id: 2, second.id: 2}
        await until(lambda: one.running == other.running == 2)
        one.gate.set()
        other.gate.set()
        await asyncio.gather(*calls)
        assert (one.most, other.most) == (2, 2)


async def test_a_new_drought_wakes_again_and_an_unanswered_wake_is_repeated(gateway: Gateway) -> None:
    deployment = await gateway.deploy(cold_start_timeout=0.05)
    async with raw_replica(answer_everything) as replica, deployment.client() as client:
        responses = await asyncio.gather(client.get("/"), client.get("/"))
        assert [response.status_code for response in responses] == [503, 503]
        assert len(deployment.heard("wake")) == 1
        assert (await client.get("/")).status_code == 503
        assert len(deployment.heard("wake")) == 2
        deployment.replicas(replica)
        assert (await client.get("/")).status_code == 200
        deployment.replicas()
        await deployment.hears("drained", replica=replica.id)
        assert (await client.get("/")).status_code == 503
        assert len(deployment.heard("wake")) == 3


async def test_waiting_too_long_is_503_with_a_reason(gateway: Gateway) -> None:
    deployment = await gateway.deploy(cold_start_timeout=0.1)
    async with deployment.client() as client:
        response = await client.post("/predict", content=b"x")
        assert response.status_code == 503
        assert int(response.headers["retry-after"]) > 0
        assert (
            response.json()["error"] == f"no instance of deployment '{deployment.name}' started within 0.1 s"
        )
        assert response.json()["hint"]
        assert (await deployment.load(waiting=0, requests=1))["errors"] == 1


async def test_a_full_queue_is_429(gateway: Gateway) -> None:
    deployment = await gateway.deploy(queue=2)
    async with raw_replica(answer_everything) as replica, deployment.client() as client:
        calls = [asyncio.create_task(client.get("/")) for _ in range(2)]
        await deployment.load(waiting=2)
        refused = await client.get("/")
        assert refused.status_code == 429
        assert "2 requests wait" in refused.json()["error"]
        deployment.replicas(replica)
        assert [response.status_code for response in await asyncio.gather(*calls)] == [200, 200]


async def test_a_replica_that_does_not_answer_in_time_is_504(gateway: Gateway) -> None:
    hung_up = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        await reader.read()
        hung_up.set()

    deployment = await gateway.deploy(timeout=0.1, concurrency=1)
    async with raw_replica(silent) as replica, deployment.client() as client:
        deployment.replicas(replica)
        response = await client.get("/")
        assert response.status_code == 504
        assert "0.1 s" in response.json()["error"]
        await asyncio.wait_for(hung_up.wait(), DEADLINE)
        await deployment.load(in_flight=0, errors=1)


async def test_a_caller_that_does_not_read_its_answer_loses_its_slot(gateway: Gateway) -> None:
    deployment, bento = await gateway.deploy(timeout=1, concurrency=1), Bento()
    async with asgi_replica(bento.app) as replica, deployment.client() as client:
        deployment.replicas(replica)
        with socket.create_connection(("127.0.0.1", deployment.port)) as hanging:
            hanging.sendall(b"GET /download?mb=100 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await deployment.load(in_flight=1, waiting=0)
            assert (await client.get("/request")).status_code == 200
        await deployment.load(in_flight=0, errors=1)


async def test_a_web_page_cannot_call_an_open_deployment_under_a_name_of_its_own(gateway: Gateway) -> None:
    deployment, bento = await gateway.deploy(hosts=["mine.example"]), Bento()
    async with asgi_replica(bento.app) as replica, deployment.client() as client:
        deployment.replicas(replica)
        for host in ("evil.example", f"evil.example:{deployment.port}", "127.0.0.1.evil.example"):
            refused = await client.get("/request", headers={"Host": host})
            assert refused.status_code == 403
            assert "BENTO_JUPYTER_PUBLIC_HOSTS" in refused.json()["hint"]
        for host in ("localhost:1", "127.0.0.1", "[::1]:1", "a.localhost", "mine.example:1"):
            assert (await client.get("/request", headers={"Host": host})).status_code == 200
        deployment.update(hosts=None)
        assert (await client.get("/request", headers={"Host": "evil.example"})).status_code == 200


async def test_a_shorter_timeout_holds_for_requests_in_progress(gateway: Gateway) -> None:
    deployment, bento = await gateway.deploy(timeout=30), Bento()
    async with asgi_replica(bento.app) as replica, deployment.client() as client:
        deployment.replicas(replica)
        calls = [asyncio.create_task(client.get(f"/hold/{number}")) for number in range(3)]
        await deployment.load(in_flight=3)
        deployment.update(timeout=0.1)
        assert [(await call).status_code for call in calls] == [504] * 3
        bento.gate.set()


async def test_the_timeout_begins_with_admission_and_ends_with_the_first_byte(gateway: Gateway) -> None:
    timeout = 0.2
    deployment, bento = await gateway.deploy(timeout=timeout, concurrency=1), Bento()
    async with asgi_replica(bento.app) as replica, deployment.client() as client:
        call = asyncio.create_task(client.get("/readyz"))
        await deployment.load(waiting=1)
        await asyncio.sleep(timeout * 1.5)  # What passes here is what is tested.
        deployment.replicas(replica)
        assert (await call).status_code == 200
        async with client.stream("GET", "/events") as response:
            lines = response.aiter_lines()
            assert await anext(lines) == "data: 0"
            await asyncio.sleep(timeout * 1.5)
            bento.next_event.set()
            assert await anext(lines) == ""
            assert await anext(lines) == "data: 1"


async def test_a_caller_that_goes_away_leaves_the_queue(gateway: Gateway) -> None:
    deployment, bento = await gateway.deploy(concurrency=1), Bento()
    async with asgi_replica(bento.app) as replica, deployment.client() as client:
        deployment.replicas(replica)
        first = asyncio.create_task(client.get("/hold/first"))
        await deployment.load(in_flight=1)
        impatient = asyncio.create_task(client.get("/hold/impatient"))
        await deployment.load(waiting=1)
        last = asyncio.create_task(client.get("/hold/last"))
        await deployment.load(waiting=2)
        impatient.cancel()
        await deployment.load(waiting=1)
        bento.gate.set()
        assert (await first).text == "first"
        assert (await last).text == "last"
        assert bento.order == ["first", "last"]


async def test_the_slot_of_a_caller_that_went_away_is_held_while_the_replica_works(gateway: Gateway) -> None:
    deployment, bento = await gateway.deploy(concurrency=1), Bento()
    async with asgi_replica(bento.app) as replica, deployment.client() as client:
        deployment.replicas(replica)
        gone = asyncio.create_task(client.get("/hold/gone"))
        await until(lambda: bento.running)
        gone.cancel()
        nexts = [asyncio.create_task(client.get(f"/hold/{number}")) for number in range(3)]
        await deployment.load(waiting=3, in_flight=1)
        bento.gate.set()
        assert [response.text for response in await asyncio.gather(*nexts)] == ["0", "1", "2"]
        assert bento.most == 1
        await deployment.load(in_flight=0)


async def test_a_caller_that_goes_away_while_it_sends_gives_the_slot_back(gateway: Gateway) -> None:
    deployment, bento = await gateway.deploy(concurrency=1), Bento()
    async with asgi_replica(bento.app) as replica, deployment.client() as client:
        deployment.replicas(replica)
        _, writer = await asyncio.open_connection("127.0.0.1", deployment.port)
        writer.write(b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc")
        await until(lambda: bento.received)
        writer.close()
        assert (await client.get("/livez")).status_code == 200
        await deployment.load(in_flight=0)


# Who may come in


async def test_a_protected_deployment_wants_a_token_and_keeps_it_to_itself(gateway: Gateway) -> None:
    tokens = [hashlib.sha256(b"the token").hexdigest()]
    deployment = await gateway.deploy(protected=True, tokens=tokens)
    async with asgi_replica(Bento().app) as replica, deployment.client() as client:
        deployment.replicas(replica)
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic the token"}):
            refused = await client.post("/request", content=b"x", headers=headers)
            assert refused.status_code == 401
            assert refused.headers["www-authenticate"] == "Bearer"
            assert "protected" in refused.json()["error"]
        allowed = await client.get("/request", headers={"Authorization": "Bearer the token"})
        assert allowed.status_code == 200
        assert "authorization" not in dict(allowed.json()["headers"])
        assert (await client.get("/readyz")).status_code == 200
        assert (await client.get("/livez")).status_code == 200
        assert (await client.get("/readyz/../request")).status_code == 401
        preflight = {"Origin": "http://x", "Access-Control-Request-Method": "POST"}
        assert (await client.options("/request", headers=preflight)).status_code == 200
        assert (await client.options("/request")).status_code == 401
        deployment.update(tokens=[])
        deployment.replicas()  # The answer to this says that the gateway has read both.
        await deployment.hears("drained")
        gone = await client.get("/request", headers={"Authorization": "Bearer the token"})
        assert gone.status_code == 401


async def test_an_open_deployment_passes_authorization_on(gateway: Gateway) -> None:
    deployment = await gateway.deploy()
    async with asgi_replica(Bento().app) as replica, deployment.client() as client:
        deployment.replicas(replica)
        seen = await client.get("/request", headers={"Authorization": "Bearer of the app"})
        assert dict(seen.json()["headers"])["authorization"] == "Bearer of the app"


async def test_readyz_wakes_and_is_held_while_livez_is_answered_at_once(gateway: Gateway) -> None:
    deployment = await gateway.deploy(protected=True, tokens=[])
    async with asgi_replica(Bento().app) as replica, deployment.client() as client:
        alive = await client.get("/livez")
        assert (alive.status_code, alive.text) == (200, "\n")
        assert deployment.heard("wake") == []
        ready = asyncio.create_task(client.get("/readyz"))
        await deployment.hears("wake")
        await deployment.load(waiting=1)
        assert not ready.done()
        deployment.replicas(replica)
        assert (await ready).status_code == 200
        assert (await client.get("/livez")).text == "the replica"


async def test_a_closed_deployment_says_why_to_those_who_wait_and_those_who_come(gateway: Gateway) -> None:
    deployment = await gateway.deploy()
    async with raw_replica(answer_everything) as replica, deployment.client() as client:
        waiting = asyncio.create_task(client.get("/"))
        await deployment.load(waiting=1)
        deployment.update(closed="its image could not be built")
        for response in (await waiting, await client.get("/livez")):
            assert response.status_code == 503
            assert "its image could not be built" in response.json()["error"]
        begin = time.monotonic()
        assert (await client.get("/readyz")).status_code == 503
        assert time.monotonic() - begin > 0.4, "the client of BentoML asks again without a pause"
        deployment.update(closed=None)
        deployment.replicas(replica)
        assert (await client.get("/")).status_code == 200


# Replicas that come, go and fail


async def test_a_removed_replica_ends_its_requests_gets_no_new_ones_and_is_drained(gateway: Gateway) -> None:
    deployment, old, new = await gateway.deploy(), Bento(), Bento()
    new.gate.set()
    async with (
        asgi_replica(old.app) as first,
        asgi_replica(new.app) as second,
        deployment.client() as client,
    ):
        deployment.replicas(first)
        call = asyncio.create_task(client.get("/hold/old"))
        await until(lambda: old.running)
        deployment.replicas(second)
        for _ in range(3):
            assert (await client.get("/hold/new")).status_code == 200
        assert deployment.heard("drained") == []
        assert old.order == ["old"]
        old.gate.set()
        assert (await call).text == "old"
        await deployment.hears("drained", replica=first.id)
        deployment.replicas()
        await deployment.hears("drained", replica=second.id)
        assert len(deployment.heard("drained")) == 2


async def test_a_request_whose_replica_dies_before_answering_goes_to_another(gateway: Gateway) -> None:
    async def dies(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"the body")
        writer.transport.abort()

    deployment = await gateway.deploy()
    async with (
        raw_replica(dies) as first,
        asgi_replica(Bento().app) as second,
        deployment.client() as client,
    ):
        call = asyncio.create_task(client.post("/request", content=b"the body"))
        await deployment.load(waiting=1)
        deployment.replicas(first)
        await deployment.hears("lost", replica=first.id)
        deployment.replicas(second)
        response = await call
        assert response.json()["body"] == "the body"
        assert first.connections == 1


@pytest.mark.parametrize(("method", "sent"), [("GET", 1), ("POST", 0)])
async def test_a_replica_that_dies_between_head_and_body_has_worked(
    gateway: Gateway, method: str, sent: int
) -> None:
    async def dies(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
        await writer.drain()
        await deployment.load(in_flight=1)

    deployment = await gateway.deploy()
    async with (
        raw_replica(dies) as first,
        raw_replica(answer_everything) as second,
        deployment.client() as client,
    ):
        deployment.replicas(first, second)
        answer = await client.request(method, "/")
        assert (first.connections, second.connections) == (1, sent), "only a GET is made again"
        if method == "GET":
            assert answer.text == "ok"
        else:
            assert answer.status_code == 502
            assert "after the head of its answer" in answer.json()["error"]


async def test_a_head_of_a_stream_is_passed_on_at_once(gateway: Gateway) -> None:
    async def streams(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        await asked.wait()
        writer.write(b"2\r\nok\r\n0\r\n\r\n")
        await writer.drain()

    asked = asyncio.Event()
    deployment = await gateway.deploy()
    async with raw_replica(streams) as replica, deployment.client() as client:
        deployment.replicas(replica)
        async with client.stream("GET", "/") as response:
            asked.set()
            assert await response.aread() == b"ok"


async def test_submit_is_not_sent_twice(gateway: Gateway) -> None:
    async def dies(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)

    deployment = await gateway.deploy()
    async with raw_replica(dies) as replica, deployment.client() as client:
        deployment.replicas(replica)
        response = await client.post("/train/submit", content=b"x")
        assert response.status_code == 502
        assert replica.connections == 1


async def test_a_request_that_kills_its_replica_is_tried_on_one_other_only(gateway: Gateway) -> None:
    async def dies(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)

    deployment = await gateway.deploy()
    async with (
        raw_replica(dies) as a,
        raw_replica(dies) as b,
        raw_replica(dies) as c,
        deployment.client() as client,
    ):
        deployment.replicas(a, b, c)
        response = await client.post("/", content=b"x")
        assert response.status_code == 502
        assert "closed the connection without an answer" in response.json()["error"]
        assert a.connections + b.connections + c.connections == 2
        assert len(deployment.heard("lost")) == 2


async def test_a_request_is_not_dragged_along_by_replicas_that_end_together(gateway: Gateway) -> None:
    async def dies(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)

    async def ends(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Accepted when it was about to end, with or without anything sent."""

    deployment = await gateway.deploy()
    async with (
        raw_replica(dies) as first,
        raw_replica(ends) as second,
        raw_replica(ends) as third,
        raw_replica(answer_everything) as last,
        deployment.client() as client,
    ):
        deployment.replicas(first, second, third, last)
        assert (await client.post("/", content=b"x")).text == "ok"
        assert [each.connections for each in (first, second, third)] == [1, 1, 1]
        assert len(deployment.heard("lost")) == 3


async def test_a_deployment_can_ask_for_no_retries(gateway: Gateway) -> None:
    async def dies(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)

    deployment = await gateway.deploy(retries=False)
    async with raw_replica(dies) as first, raw_replica(answer_everything) as second:
        second.server.close()  # what was never sent is no second try
        deployment.replicas(first, second)
        async with deployment.client() as client:
            assert (await client.post("/", content=b"x")).status_code == 502
        assert first.connections == 1


async def test_requests_of_a_replica_that_died_go_first_and_in_their_order(gateway: Gateway) -> None:
    got: list[bytes] = []
    all_there = asyncio.Event()

    async def dies_with_three(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.append(await read_head(reader))
        if len(got) == 3:
            all_there.set()
        await all_there.wait()
        writer.transport.abort()

    order: list[str] = []

    async def notes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await read_head(reader)
            order.append(head.split(b" ")[1].decode())
            writer.write(answer())

    deployment = await gateway.deploy(concurrency=3)
    async with (
        raw_replica(dies_with_three) as first,
        raw_replica(notes) as second,
        deployment.client() as client,
    ):
        calls = []
        for number in range(5):
            calls.append(asyncio.create_task(client.get(f"/{number}")))
            await deployment.load(waiting=number + 1)
        before = len(gateway.messages)
        deployment.replicas(first)

        def all_came_back() -> bool:
            told = [each for each in gateway.messages[before:] if each["op"] == "load"]
            return bool(told) and (told[-1]["waiting"], told[-1]["in_flight"]) == (5, 0)

        await until(all_came_back)
        deployment.update(concurrency=1)
        deployment.replicas(second)
        assert [(await call).status_code for call in calls] == [200] * 5
    assert order == ["/0", "/1", "/2", "/3", "/4"]


async def test_what_is_known_is_answered_without_waking_a_replica(gateway: Gateway) -> None:
    schema = '{"name":"S","routes":[]}'
    deployment = await gateway.deploy(schema=schema, content="one", protected=False)

    async def docs(request: Request) -> JSONResponse:
        return JSONResponse({"openapi": "3.0.2"})

    app = Starlette(routes=[Route("/docs.json", docs), Route("/metrics", lambda _: PlainTextResponse("m 1"))])
    async with asgi_replica(app) as replica, deployment.client() as client:
        assert (await client.get("/schema.json")).text == schema
        assert (await client.get("/livez")).status_code == 200
        metrics = await client.get("/metrics")
        assert metrics.status_code == 200
        assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert deployment.heard("wake") == []
        deployment.replicas(replica)
        await gateway.deploy()  # messages are heard in their order
        assert (await client.get("/metrics")).text == "m 1"
        docs_there = await client.get("/docs.json")
        deployment.replicas()
        await deployment.hears("drained")
        docs_kept = await client.get("/docs.json")
        assert docs_kept.json() == docs_there.json() == {"openapi": "3.0.2"}
        assert docs_kept.headers["content-type"] == "application/json"
        head = await client.head("/schema.json")
        assert (head.text, head.headers["content-length"]) == ("", str(len(schema)))
        assert deployment.heard("wake") == []
        deployment.update(content="two")  # another Bento has other docs
        await gateway.deploy()  # messages are heard in their order
        call = asyncio.create_task(client.get("/docs.json"))
        await deployment.hears("wake")
        deployment.replicas(replica)
        assert (await call).status_code == 200


async def test_server_timing_tells_the_phases_of_the_cold_start_to_those_who_waited_for_it(
    gateway: Gateway,
) -> None:
    deployment = await gateway.deploy()
    async with raw_replica(answer_everything) as replica, deployment.client() as client:
        call = asyncio.create_task(client.get("/"))
        await deployment.hears("wake")
        phases = {"process": 0.01, "imports": 0.002, "load": 0.03, "ready": 0.004}
        named = [{"id": replica.id, "socket": str(replica.path), "phases": phases}]
        gateway.send(op="replicas", deployment=deployment.name, replicas=named)
        told = re.findall(r"(\w+);dur=([\d.]+)", (await call).headers["server-timing"])
        names = [name for name, _ in told]
        assert names == ["queue", "cold", "process", "imports", "load", "ready", "upstream"]
        assert [float(value) for _, value in told[2:6]] == [10.0, 2.0, 30.0, 4.0]
        assert "cold" not in (await client.get("/")).headers["server-timing"]


async def test_ids_of_callers_that_would_spoil_a_log_are_replaced(gateway: Gateway) -> None:
    deployment = await gateway.deploy()
    async with raw_replica(answer_everything) as replica, deployment.client() as client:
        deployment.replicas(replica)
        for mine, kept in (("abc-1", True), ("x" * 129, False), ("two words", False), ("", False)):
            told = (await client.get("/", headers={"X-Request-Id": mine})).headers["x-request-id"]
            assert (told == mine) is kept
            assert re.fullmatch(r"[!-~]{1,128}", told)


async def test_a_replica_that_refuses_is_reported_lost_and_passed_over(gateway: Gateway) -> None:
    deployment = await gateway.deploy()
    async with raw_replica(answer_everything) as gone, raw_replica(answer_everything) as there:
        gone.server.close()
        deployment.replicas(gone, there)
        async with deployment.client() as client:
            for _ in range(5):
                assert (await client.post("/train/submit")).text == "ok"
        assert len(deployment.heard("lost", replica=gone.id)) == 1


async def test_requests_beyond_the_backlog_of_a_replica_that_does_not_accept_yet_are_not_lost(
    gateway: Gateway, tmp_path: Path
) -> None:
    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            await answer_everything(reader, writer)
        writer.close()

    deployment, bound = await gateway.deploy(), Replica(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(bound.path))
        listener.listen(1)
        deployment.replicas(bound)
        async with deployment.client() as client:
            calls = [asyncio.create_task(client.get("/")) for _ in range(10)]
            await deployment.load(in_flight=10)
            server = await asyncio.start_unix_server(accepted, sock=listener)
            assert [(await call).text for call in calls] == ["ok"] * 10
        server.close()
    assert deployment.heard("lost") == []


async def test_a_stale_kept_connection_is_replaced_without_a_word(gateway: Gateway) -> None:
    async def closes_on_the_second(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(answer())
        await read_head(reader)

    deployment = await gateway.deploy()
    async with raw_replica(closes_on_the_second) as replica, deployment.client() as client:
        deployment.replicas(replica)
        for _ in range(4):
            assert (await client.get("/")).text == "ok"
        assert replica.connections == 4
        assert deployment.heard("lost") == []


async def test_an_answer_that_breaks_off_is_seen_broken_and_not_tried_again(gateway: Gateway) -> None:
    async def breaks_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        await writer.drain()

    deployment = await gateway.deploy()
    async with raw_replica(breaks_off) as replica, deployment.client() as client:
        deployment.replicas(replica)
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await client.get("/")
        assert replica.connections == 1
        await deployment.load(requests=1, errors=1, in_flight=0)


async def test_what_a_relay_could_not_deliver_is_tried_until_somebody_has_it(gateway: Gateway) -> None:
    undelivered: list[bytes] = []

    async def relays(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        if replica.connections <= 4:
            undelivered.append(await reader.readexactly(4))
            writer.write(b"\0")
            return
        assert await reader.readexactly(4) == b"once"
        writer.write(answer())

    deployment = await gateway.deploy()
    async with raw_replica(relays) as replica, deployment.client() as client:
        deployment.replicas(replica)
        assert (await client.post("/", content="once")).text == "ok"
        assert undelivered == [b"once"] * 4
        await deployment.load(requests=1, errors=0, in_flight=0)


async def test_an_answer_that_is_not_http_is_502(gateway: Gateway) -> None:
    async def babbles(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd")
        await reader.read()

    deployment = await gateway.deploy()
    async with raw_replica(babbles) as replica, deployment.client() as client:
        deployment.replicas(replica)
        response = await client.get("/")
        assert response.status_code == 502
        assert "not HTTP/1.1" in response.json()["error"]
        assert replica.connections == 1


async def test_an_answer_longer_than_announced_does_not_reach_the_next_caller(gateway: Gateway) -> None:
    async def says_too_much(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_head(reader)
            writer.write(answer() + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged")

    deployment = await gateway.deploy()
    async with raw_replica(says_too_much) as replica, deployment.client() as client:
        deployment.replicas(replica)
        assert [(await client.get("/")).text for _ in range(4)] == ["ok"] * 4


# The channel


async def test_a_taken_port_is_reported_and_tried_again(gateway: Gateway) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        deployment = Deployment(gateway, "taken", {"port": port})
        deployment.update()
        failed = await deployment.hears("listen-failed", port=port)
        assert "in use" in failed["error"]
    deployment.update()
    await deployment.hears("listening", port=port)


@pytest.mark.skipif(not Path("/proc/net/if_inet6").exists(), reason="this machine has no IPv6")
async def test_it_listens_at_an_address_of_version_6(gateway: Gateway) -> None:
    deployment = await gateway.deploy(host="::1")
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(f"http://[::1]:{deployment.port}/livez")).status_code == 200


async def test_a_removed_deployment_answers_the_waiting_and_frees_its_port(gateway: Gateway) -> None:
    deployment = await gateway.deploy()
    async with deployment.client() as client:
        waiting = asyncio.create_task(client.get("/"))
        await deployment.load(waiting=1)
        gateway.send(op="remove", deployment=deployment.name)
        assert (await waiting).status_code == 503
        with pytest.raises(httpx.TransportError):
            await client.get("/")
    again = Deployment(gateway, deployment.name, {"port": deployment.port})
    again.update()
    await until(lambda: len(again.heard("listening")) == 2)


async def test_load_is_reported_at_most_every_50_ms_and_ends_with_the_truth(gateway: Gateway) -> None:
    deployment = await gateway.deploy()
    async with raw_replica(answer_everything) as replica, deployment.client() as client:
        deployment.replicas(replica)
        began = time.monotonic()
        for _ in range(200):
            await client.get("/")
        await deployment.load(requests=200, in_flight=0, waiting=0)
        assert len(deployment.heard("load")) <= (time.monotonic() - began) / 0.05 + 2


async def test_a_message_that_is_not_understood_harms_nobody(gateway: Gateway) -> None:
    deployment = await gateway.deploy()
    gateway.writer.write(b'not json\n\n{"op": "dance", "deployment": "x"}\n{"op": "route"}\n[1]\n')
    async with raw_replica(answer_everything) as replica, deployment.client() as client:
        deployment.replicas(replica)
        assert (await client.get("/")).text == "ok"


async def test_the_end_of_the_channel_ends_the_process_with_requests_in_flight() -> None:
    async with running_gateway() as gateway:
        deployment = await gateway.deploy()
        async with deployment.client() as client:
            call = asyncio.create_task(client.get("/"))
            await deployment.load(waiting=1)
            gateway.writer.close()
            assert await asyncio.to_thread(gateway.process.wait, DEADLINE) == 0
            with pytest.raises(httpx.TransportError):
                await call


async def test_it_imports_neither_pydantic_nor_a_web_framework() -> None:
    code = "import sys, bento_jupyter.cloud.gateway.__main__; print(list(sys.modules))"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    loaded = set(json.loads(out.decode().replace("'", '"')))
    assert "httptools" in loaded
    assert not {"pydantic", "starlette", "uvicorn", "bentoml", "httpx", "sqlalchemy"} & loaded
