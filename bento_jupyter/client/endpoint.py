"""Calls of a deployment's endpoints over HTTP, with arrays and frames in and out."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .. import codec
from ..errors import CallError

if TYPE_CHECKING:
    import httpx

__all__ = ["Answer", "Endpoints", "Timing"]

#: Seconds a call may take in all: a cold start may be held for minutes before the work begins.
TIMEOUT = 660.0


@dataclass(frozen=True)
class Timing:
    """Where the time of one call went, in seconds.

    Attributes:
        total: From sending to the whole answer.
        queue: Waiting in the deployment's queue (contains `cold_start`).
        cold_start: Of that, waiting for an instance to start; 0 when one was up.
        upstream: In the instance.
    """

    total: float
    queue: float = 0.0
    cold_start: float = 0.0
    upstream: float = 0.0

    @classmethod
    def of(cls, total: float, header: str) -> Timing:
        """From the `Server-Timing` header that the gateway stamps (milliseconds)."""
        spent = {
            found.group(1): float(found.group(2)) / 1000
            for found in re.finditer(r"([\w-]+)\s*;\s*dur=([0-9.]+)", header)
        }
        return cls(total, spent.get("queue", 0.0), spent.get("cold", 0.0), spent.get("upstream", 0.0))

    def __str__(self) -> str:
        if self.cold_start:
            return f"answered in {self.total:.2f} s, {self.cold_start:.2f} s of it held for the cold start"
        if self.queue >= 0.001:
            return f"answered in {_seconds(self.total)}, {_seconds(self.queue)} of it queued"
        return f"answered in {_seconds(self.total)}"


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


@dataclass(frozen=True)
class Answer:
    """What an endpoint answered.

    Attributes:
        value: The decoded answer: array, frame, scalar, dict ...
        timing: Where the time went.
        request_id: Id of the request in the logs.
    """

    value: Any
    timing: Timing
    request_id: str = field(default="", compare=False)


class Endpoints:
    """The endpoints below one URL.

    Args:
        url: Base URL of the deployment.
        token: For `Authorization: Bearer`; None = none is sent.
        schema: The service's schema as in `/schema.json`, when it is known already: asking the
            deployment for it would start an instance.
    """

    def __init__(self, url: str, token: str | None = None, schema: Mapping[str, Any] | None = None) -> None:
        self.url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._schema = dict(schema) if schema else None

    @property
    def schema(self) -> dict[str, Any]:
        """The service's schema."""
        if self._schema is None:
            response = self._sent(lambda: self._client.get("/schema.json"))
            if response.status_code != 200:
                raise _refusal(self.url, "schema.json", response)
            self._schema = response.json()
        return self._schema

    @property
    def names(self) -> list[str]:
        """Names of the endpoints."""
        return [route["name"] for route in self.schema.get("routes", [])]

    def route(self, name: str = "") -> dict[str, Any]:
        """Schema of one endpoint; the only one, or `predict`, when no name is given.

        Raises:
            CallError: There is no such endpoint, or a name is needed to choose one.
        """
        routes: dict[str, dict[str, Any]] = {route["name"]: route for route in self.schema.get("routes", [])}
        if not isinstance(name, str):
            raise CallError(
                f"the name of an endpoint comes first, not a {type(name).__name__}",
                hint=f".call(NAME, X) with one of {', '.join(routes)}",
            )
        if not name:
            if len(routes) == 1:
                return next(iter(routes.values()))
            name = "predict"
        if name not in routes:
            known = ", ".join(routes) or "none"
            raise CallError(f"no endpoint {name!r} at {self.url}", hint=f"endpoints: {known}")
        return routes[name]

    def call(self, name: str = "", /, *args: Any, **kwargs: Any) -> Answer:
        """Call an endpoint and wait for its answer.

        Args:
            name: Name of the endpoint; "" = the only one, or `predict`.
            *args: Its inputs, in the order of its schema.
            **kwargs: Its inputs by name.

        Raises:
            CallError: The inputs do not fit, or the endpoint refused or failed.
        """
        route = self.route(name)
        body = _body(route, args, kwargs)
        begun = time.perf_counter()
        response = self._sent(lambda: self._client.post(route["route"], json=body))
        return self._answer(route, response, time.perf_counter() - begun, _index_of(args, kwargs))

    async def acall(self, name: str = "", /, *args: Any, **kwargs: Any) -> Answer:
        """`call` for asynchronous code."""
        import httpx

        route = self.route(name)
        body = _body(route, args, kwargs)
        begun = time.perf_counter()
        try:
            async with httpx.AsyncClient(**self._options()) as client:
                response = await client.post(route["route"], json=body)
        except httpx.TransportError as error:
            raise _unreachable(self.url, error) from error
        return self._answer(route, response, time.perf_counter() - begun, _index_of(args, kwargs))

    def send(self, name: str, body: Any) -> Answer:
        """POST a JSON body as it is, for those who want to see the wire.

        Args:
            name: Name of the endpoint.
            body: What `json.dumps` takes.
        """
        route = self.route(name)
        begun = time.perf_counter()
        response = self._sent(lambda: self._client.post(route["route"], json=body))
        return self._answer(route, response, time.perf_counter() - begun)

    def _answer(
        self, route: Mapping[str, Any], response: httpx.Response, total: float, index: Any = None
    ) -> Answer:
        if response.status_code != 200:
            raise _refusal(self.url, route["name"], response)
        kind = response.headers.get("content-type", "").partition(";")[0]
        if kind == "application/json":
            value = _decoded(route, response, index)
        elif kind.startswith("text/"):
            value = response.text
        else:
            value = response.content
        timing = Timing.of(total, ", ".join(response.headers.get_list("server-timing")))
        return Answer(value, timing, response.headers.get("x-request-id", ""))

    def _options(self) -> dict[str, Any]:
        local = urlsplit(self.url).hostname in ("127.0.0.1", "localhost", "::1")
        return {
            "base_url": self.url,
            "headers": self._headers,
            "timeout": TIMEOUT,
            "follow_redirects": True,
            "trust_env": not local,
        }

    @cached_property
    def _client(self) -> httpx.Client:
        """Kept, since making one takes longer than a call does; threads may share it."""
        import httpx

        limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
        return httpx.Client(**self._options(), limits=limits)

    def _sent(self, send: Any) -> httpx.Response:
        import httpx

        try:
            response: httpx.Response = send()
        except httpx.TransportError as error:
            raise _unreachable(self.url, error) from error
        return response


def _body(route: Mapping[str, Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The JSON body for the inputs, each encoded as its schema says."""
    schema = route.get("input", {})
    fields: dict[str, Any] = schema.get("properties", {})
    if schema.get("root_input"):
        if len(args) != 1 or kwargs:
            raise CallError(f"endpoint {route['name']!r} takes one input, by position")
        return _encoded(route, "its input", args[0], schema)
    if len(args) > len(fields):
        raise CallError(
            f"endpoint {route['name']!r} takes {len(fields)} inputs, not {len(args)}",
            hint=f"inputs: {', '.join(fields) or 'none'}",
        )
    values = dict(zip(fields, args, strict=False))
    for key, value in kwargs.items():
        if key not in fields or key in values:
            problem = "is given twice" if key in values else "is unknown"
            raise CallError(
                f"input {key!r} of endpoint {route['name']!r} {problem}",
                hint=f"inputs: {', '.join(fields) or 'none'}",
            )
        values[key] = value
    missing = [key for key in schema.get("required", []) if key not in values]
    if missing:
        raise CallError(f"endpoint {route['name']!r} needs {', '.join(missing)}")
    return {key: _encoded(route, f"input {key!r}", value, fields[key]) for key, value in values.items()}


def _encoded(route: Mapping[str, Any], what: str, value: Any, schema: dict[str, Any]) -> Any:
    descriptor = codec.descriptor_from_schema(schema)
    try:
        return codec.encode(value, descriptor)
    except codec.CodecError as error:
        raise CallError(
            f"{what} of endpoint {route['name']!r} does not fit: {error}",
            hint=f"it takes {_words(descriptor)}",
        ) from error


def _words(descriptor: codec.Descriptor) -> str:
    """What an endpoint takes, for people."""
    kind = descriptor["kind"]
    if kind == "frame":
        return (
            f"a DataFrame with the columns {', '.join(str(item['name']) for item in descriptor['columns'])}"
        )
    if kind == "array" and len(descriptor.get("shape") or ()) > 1:
        rest = ", ".join(str(size) if size >= 0 else "any" for size in descriptor["shape"][1:])
        return f"an array of shape (rows, {rest}), such as X_test[:5]"
    return {"array": "an array or a list", "series": "a Series", "records": "a DataFrame"}.get(kind, "JSON")


def _index_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The row labels of the one frame or series that was sent: the answer gets them, as in the notebook."""
    indexes = [value.index for value in (*args, *kwargs.values()) if hasattr(value, "iloc")]
    return indexes[0] if len(indexes) == 1 else None


def _decoded(route: Mapping[str, Any], response: httpx.Response, index: Any) -> Any:
    descriptor = codec.descriptor_from_schema(route.get("output", {}))
    try:
        return codec.decode(response.json(), descriptor, index=index)
    except ValueError as error:  # CodecError, or no JSON at all
        raise CallError(
            f"the answer of {route['name']!r} is not what its schema promises: {error}", status_code=200
        ) from error


def _unreachable(url: str, error: Exception) -> CallError:
    return CallError(f"no answer from {url}: {error}", hint="%bento_status shows how the deployment is")


def _refusal(url: str, name: str, response: httpx.Response) -> CallError:
    """The error for an answer other than 200, with what the endpoint said."""
    try:
        detail = response.json()
    except ValueError:
        detail = response.text
    hint = str(detail.get("hint") or "") if isinstance(detail, dict) else ""
    hints = {
        401: "this deployment is protected: give a token",
        404: "%bento_status shows the endpoints",
        429: "too many requests wait; try again or raise max instances",
        503: "%bento_status and %bento_logs show why",
        504: "it took longer than the deployment's timeout",
        500: "%bento_logs shows the traceback",
    }
    return CallError(
        f"{name} at {url} answered {response.status_code}: {_said(detail)}",
        hint=hint or hints.get(response.status_code, ""),
        status_code=response.status_code,
        detail=detail,
    )


def _said(detail: Any) -> str:
    """The message in an error body, in one line: scikit-learn goes on for paragraphs; `detail` has it all."""
    if isinstance(detail, list):
        return "; ".join(_said(item) for item in detail)
    if not isinstance(detail, dict):
        return next(iter(str(detail).splitlines()), "")
    if "msg" in detail:  # of pydantic
        place = ".".join(map(str, detail.get("loc", [])))
        return f"{place and place + ': '}{detail['msg'].removeprefix('Value error, ')}"
    if isinstance(detail.get("detail"), list):
        return _said(detail["detail"])
    return _said(detail.get("error") or detail.get("message") or detail.get("detail") or str(detail))
