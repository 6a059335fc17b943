"""Which form a request and its answer have: JSON for everybody, Arrow for who asks for it."""

from __future__ import annotations

import asyncio
import importlib.util
import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from pathlib import Path
from typing import Any

from .answers import encode_answer
from .descriptors import CodecError
from .exchange import CURRENT, Exchange
from .openapi import document
from .typed import OTHERS

__all__ = ["ArrowMiddleware"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

ARROW = "application/vnd.apache.arrow.stream"
#: Media types of answers; BentoML's follow the annotation, whatever the answer is.
WRITTEN = {
    "json": "application/json",
    "text": "text/plain; charset=utf-8",
    "bytes": "application/octet-stream",
}
#: Forms, in which files and images come.
FORMS = frozenset({"multipart/form-data", "application/x-www-form-urlencoded"})
#: Largest body of a request, in bytes.
MOST_BYTES = 512 * 2**20
#: Bodies from this size on are read in a thread, and not twice.
LARGE = 64 * 2**10


class Refused(Exception):
    """A request is answered with an error."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status


class ArrowMiddleware:
    """ASGI middleware of a service: Arrow streams in and out, unknown inputs refused, both documented.

    A request of the type `application/vnd.apache.arrow.stream` carries one table, the endpoint's only input
    of that kind; its other inputs are JSON in the schema's metadata (`parameters`). An answer that is a table
    goes as such a stream when `Accept` names the type. Errors stay JSON. Without pyarrow in the environment
    such requests get 415, and JSON goes on working.

    Args:
        app: The service.
        endpoints: Path of `endpoints.json`: `{"endpoints": {name: {"inputs": {parameter: descriptor},
            "output": descriptor, "stream": ..., "task": ...}}}`.
        most_bytes: Largest body of a request, in bytes; larger ones get 413.

    Example:
        `Service.add_asgi_middleware(ArrowMiddleware, endpoints=Path(__file__).parent / "endpoints.json")`
    """

    def __init__(self, app: App, endpoints: str | Path, most_bytes: int = MOST_BYTES) -> None:
        self.app = app
        self.endpoints: dict[str, Any] = json.loads(Path(endpoints).read_text(encoding="utf-8"))["endpoints"]
        self.most_bytes = most_bytes
        self.has_arrow = importlib.util.find_spec("pyarrow") is not None
        self.routes: dict[str, str] = {}
        self.whole: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection (ASGI)."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        last = scope["path"].rstrip("/").rpartition("/")[2]
        if scope["method"] == "GET" and last in ("schema.json", "docs.json"):
            await self.described(last, scope, receive, send)
            return
        name, task = await self.endpoint_of(scope) if scope["method"] == "POST" else ("", False)
        if not name:
            await self.app(scope, receive, send)
            return
        types = self.endpoints[name]
        exchange = Exchange(name)
        exchange.arrow = (
            self.has_arrow
            and not task
            and not types.get("stream")
            and ARROW in header(scope, b"accept").lower()
        )
        token = CURRENT.set(exchange)
        try:
            scope, receive = await self.request(scope, receive, exchange, task)
            answer = Answering(exchange, types, send)
            await self.app(scope, receive, answer if not task else send)
        except Refused as error:
            await send_json(send, error.status, {"error": str(error)})
        finally:
            CURRENT.reset(token)

    async def endpoint_of(self, scope: Scope) -> tuple[str, bool]:
        """The endpoint of a request, and whether a task is to be submitted to it; "" = none of ours."""
        if not self.routes:
            await self.look_up_routes(scope)
        path = scope["path"].rstrip("/")
        for ending in ("", "/submit"):
            if path.endswith(ending):
                place = path.removesuffix(ending)
                found = [
                    route for route in self.routes if place.endswith(route)
                ]  # behind the service's prefix
                if found:
                    return self.routes[max(found, key=len)], bool(ending)
        return "", False

    async def look_up_routes(self, scope: Scope) -> None:
        """Ask the service itself where its endpoints are, and which have one input as their whole body."""
        asking = {"method": "GET", "path": "/schema.json", "raw_path": b"/schema.json", "query_string": b""}
        _, body = await collected(self.app, {**scope, **asking, "headers": []}, replayed(b"", no_more))
        for route in json.loads(body).get("routes", []):
            if route["name"] in self.endpoints:
                self.routes[route["route"].rstrip("/")] = route["name"]
                if route.get("input", {}).get("root_input"):
                    self.whole.add(route["name"])

    async def request(
        self, scope: Scope, receive: Receive, exchange: Exchange, task: bool
    ) -> tuple[Scope, Receive]:
        """The request as BentoML gets it: JSON whose large or live values are lent.

        Raises:
            Refused: It does not fit.
        """
        inputs = self.endpoints[exchange.endpoint]["inputs"]
        kind = header(scope, b"content-type").partition(";")[0].strip().lower() or "application/json"
        if kind == ARROW:
            reason = self.no_arrow(exchange.endpoint, task)
            if reason:
                raise Refused(415, f"{exchange.endpoint} takes no Arrow stream: {reason}; send JSON")
            body = await self.body_of(scope, receive)
            data = await in_thread(len(body), self.from_arrow, body, exchange)
        elif kind == "application/json":
            body = await self.body_of(scope, receive)
            try:
                data = await in_thread(len(body), json.loads, body)
            except (ValueError, RecursionError):
                return scope, replayed(body, receive)  # BentoML says what is wrong with it
            if not isinstance(data, dict) or exchange.endpoint in self.whole:
                return scope, replayed(body, receive)
            check_names(data, inputs, exchange.endpoint)
            if task or len(body) < LARGE:
                return scope, replayed(body, receive)
            data = {
                key: exchange.lend(value, live=False) if lendable(inputs[key]) else value
                for key, value in data.items()
            }
        elif kind in FORMS and exchange.endpoint not in self.whole:
            body = await self.body_of(scope, receive)
            check_names(await names_of_form(scope, body), inputs, exchange.endpoint)
            return scope, replayed(body, receive)
        else:
            return scope, receive
        body = json.dumps(data).encode("utf-8")
        ours = {b"content-type": b"application/json", b"content-length": str(len(body)).encode()}
        headers = [
            (key, value)
            for key, value in scope["headers"]
            if key.lower() not in (*ours, b"transfer-encoding")
        ]
        return {**scope, "headers": [*headers, *ours.items()]}, replayed(body, receive)

    def no_arrow(self, endpoint: str, task: bool) -> str:
        """Why an endpoint takes no Arrow stream; "" when it does."""
        if not self.has_arrow:
            return "pyarrow is not installed in its environment"
        if task:
            return "tasks are kept as JSON"
        if endpoint in self.whole:
            return "its one input is the whole body"
        from .arrow import table_parameter

        return table_parameter(self.endpoints[endpoint]["inputs"])[1]

    def from_arrow(self, body: bytes, exchange: Exchange) -> dict[str, Any]:
        """The JSON of a request that came as Arrow; its table is lent."""
        from .arrow import request_parts

        inputs = self.endpoints[exchange.endpoint]["inputs"]
        try:
            table, rest = request_parts(body, inputs)
        except CodecError as error:
            raise Refused(400, f"{exchange.endpoint}: {error}") from error
        return {**rest, **{key: exchange.lend(value, live=True) for key, value in table.items()}}

    async def body_of(self, scope: Scope, receive: Receive) -> bytes:
        """The whole body of a request.

        Raises:
            Refused: It is too large, or broke off.
        """
        too_large = Refused(413, f"the request is larger than {self.most_bytes:,} bytes")
        length = header(scope, b"content-length")
        if length.isdigit() and int(length) > self.most_bytes:
            raise too_large
        parts: list[bytes] = []
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Refused(400, "the request broke off")
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self.most_bytes:
                raise too_large
            more = message.get("more_body", False)
        return b"".join(parts)

    async def described(self, name: str, scope: Scope, receive: Receive, send: Send) -> None:
        """`/schema.json` and `/docs.json`, with what BentoML does not know of the endpoints."""
        start, body = await collected(self.app, scope, receive)
        if start.get("status") == 200:
            found = json.loads(body)
            body = json.dumps(self.schema(found) if name == "schema.json" else self.docs(found)).encode(
                "utf-8"
            )
        headers = [(key, value) for key, value in start["headers"] if key.lower() != b"content-length"]
        await send({**start, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
        await send({"type": "http.response.body", "body": body})

    def docs(self, found: dict[str, Any]) -> dict[str, Any]:
        """The OpenAPI document."""
        return document(found, self.endpoints, ARROW if self.has_arrow else "")

    def schema(self, found: dict[str, Any]) -> dict[str, Any]:
        """BentoML's schema, with how the parts of streams are sent and, without pyarrow, no word of Arrow."""
        for route in found.get("routes", []):
            types = self.endpoints.get(route["name"])
            if types is None:
                continue
            output = route.setdefault("output", {})
            if types.get("stream") and types.get("output") is not None:
                output |= {"stream": types["stream"], "descriptor": types["output"]}
            if not self.has_arrow:
                for part in (output, *route.get("input", {}).get("properties", {}).values()):
                    part.pop("arrow", None)
        return found


class Answering:
    """`send` of a request: puts the live answer of its exchange in place of the body."""

    def __init__(self, exchange: Exchange, types: dict[str, Any], send: Send) -> None:
        self.exchange = exchange
        self.types = types
        self.send = send
        self.replaced = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            if self.exchange.answer is not None:
                try:
                    body, kind = await in_thread(LARGE, self.body_of_answer, self.exchange.answer[0])
                except CodecError as error:
                    self.exchange.failure = str(error)
                    message = {**message, "status": 500}
                else:
                    await self.replace(message, body, kind)
                    return
            output = self.types.get("output")
            if output and output["kind"] not in OTHERS and not self.types.get("stream"):
                kind = WRITTEN.get(self.exchange.written, "")
                if kind:
                    message = {**message, "headers": self.headers(message, kind)}
        if message["type"] == "http.response.start" and message["status"] == 500 and self.exchange.failure:
            # BentoML says only that its log has the reason, which callers cannot read.
            reason = f"the answer of {self.exchange.endpoint} cannot be sent: {self.exchange.failure}"
            await self.replace(message, json.dumps({"error": reason}).encode("utf-8"), "application/json")
            return
        if message["type"] == "http.response.body" and self.replaced:
            return
        await self.send(message)

    async def replace(self, message: Message, body: bytes, kind: str) -> None:
        self.replaced = True
        await self.send({**message, "headers": self.headers(message, kind, len(body))})
        await self.send({"type": "http.response.body", "body": body})

    def body_of_answer(self, value: Any) -> tuple[bytes, str]:
        from .arrow import answer_to_arrow

        try:
            return answer_to_arrow(value), ARROW
        except CodecError:
            data = encode_answer(value, self.types["output"])
            return json.dumps(data, allow_nan=False).encode("utf-8"), "application/json"

    def headers(self, message: Message, kind: str, length: int | None = None) -> list[tuple[bytes, bytes]]:
        ours = {b"content-type": kind.encode(), b"vary": b"Accept"}
        if length is not None:
            ours[b"content-length"] = str(length).encode()
        return [
            *((key, value) for key, value in message.get("headers", []) if key.lower() not in ours),
            *ours.items(),
        ]


async def names_of_form(scope: Scope, body: bytes) -> list[str]:
    """The names of a form's fields; none when it is broken, of which BentoML tells."""
    from starlette.exceptions import HTTPException
    from starlette.formparsers import MultiPartException
    from starlette.requests import Request

    try:
        async with Request(scope, replayed(body, no_more)).form() as form:
            return list(form)
    except (HTTPException, MultiPartException):
        return []


def check_names(data: Iterable[str], inputs: dict[str, Any], endpoint: str) -> None:
    """Refuse inputs that the endpoint does not have: BentoML would pass over them in silence."""
    unknown = [key for key in data if key not in inputs]
    if unknown:
        known = ", ".join(inputs) or "none"
        raise Refused(400, f"{endpoint} has no input {', '.join(map(repr, unknown))}; its inputs: {known}")


def lendable(descriptor: dict[str, Any] | None) -> bool:
    """Is it `Typed` that reads this input?"""
    return descriptor is not None and descriptor["kind"] not in OTHERS


def header(scope: Scope, name: bytes) -> str:
    """All values of a header."""
    return ", ".join(value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name)


def replayed(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives a body that was read already, then what comes after it."""
    waiting = [body]

    async def again() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return again


async def no_more() -> Message:
    """A `receive` after everything."""
    return {"type": "http.disconnect"}


async def collected(app: App, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
    """The head of an answer, and its whole body."""
    start: Message = {}
    parts: list[bytes] = []

    async def collect(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))

    await app(scope, receive, collect)
    return start, b"".join(parts)


async def in_thread(size: int, work: Callable[..., Any], *args: Any) -> Any:
    """The result of some work, off the event loop when there is much to do."""
    return await asyncio.to_thread(work, *args) if size >= LARGE else work(*args)


async def send_json(send: Send, status: int, data: Any) -> None:
    """Answer with an error, in BentoML's form."""
    body = json.dumps(data).encode("utf-8")
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
