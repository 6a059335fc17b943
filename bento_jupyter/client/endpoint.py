"""Calls of a deployment's endpoints over HTTP, with arrays and frames in and out."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..errors import CallError
from ..home import Home
from .payload import Payload, answer_value, parts_of, payload_of, takes_arrow

if TYPE_CHECKING:
    import httpx

__all__ = ["Answer", "Endpoints", "Timing"]

#: Seconds a call may take in all: a cold start may be held for minutes before the work begins.
TIMEOUT = 660.0
#: Seconds between two looks at a task: at first, and at most.
TASK_INTERVALS = (0.02, 1.0)


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
        client: HTTP client to use, which stays the caller's; None = one of its own.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        schema: Mapping[str, Any] | None = None,
        client: httpx.Client | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._schema = dict(schema) if schema else None
        self._given_client = client
        self._without_arrow: set[str] = set()

    @property
    def schema(self) -> dict[str, Any]:
        """The service's schema."""
        if self._schema is None:
            response = self._sent(lambda: self._client.get(f"{self.url}/schema.json", headers=self._headers))
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

    def takes_arrow(self, name: str = "") -> bool:
        """True when tables go to and from an endpoint as Arrow, not as JSON."""
        route = self.route(name)
        return route["name"] not in self._without_arrow and takes_arrow(route)

    def call(self, name: str = "", /, *args: Any, **kwargs: Any) -> Answer:
        """Call an endpoint and wait for its answer; of a task, for its result; of a stream, for its end.

        Tables go as Arrow where the endpoint takes it, files as a form, everything else as JSON.

        Args:
            name: Name of the endpoint; "" = the only one, or `predict`.
            *args: Its inputs, in the order of its schema: arrays, frames, plain values, images, paths.
            **kwargs: Its inputs by name.

        Raises:
            CallError: The inputs do not fit, or the endpoint refused or failed.
        """
        route = self.route(name)
        payload = self._payload(route, args, kwargs)
        begun = time.perf_counter()
        response = self._post(route, payload)
        if response.status_code == 415 and self._may_do_without(route):
            payload = self._payload(route, args, kwargs)
            response = self._post(route, payload)
        return self._answer(route, response, time.perf_counter() - begun, payload.index)

    async def acall(self, name: str = "", /, *args: Any, **kwargs: Any) -> Answer:
        """`call` for asynchronous code."""
        if self._schema is None:
            await asyncio.to_thread(lambda: self.schema)
        route = self.route(name)
        payload = self._payload(route, args, kwargs)
        begun = time.perf_counter()
        async with self._asynchronous() as client:
            response = await self._apost(client, route, payload)
            if response.status_code == 415 and self._may_do_without(route):
                payload = self._payload(route, args, kwargs)
                response = await self._apost(client, route, payload)
        return self._answer(route, response, time.perf_counter() - begun, payload.index)

    def stream(self, name: str = "", /, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """Call an endpoint and give the parts of its answer as they come.

        Args:
            name: Name of the endpoint; "" = the only one, or `predict`.
            *args: Its inputs, in the order of its schema.
            **kwargs: Its inputs by name.

        Yields:
            Pieces of text or bytes, whose seams are not the generator's; of other streams each part.

        Raises:
            CallError: The inputs do not fit, or the endpoint refused or failed.

        Example:
            `for word in endpoints.stream("tell", "a story"): print(word, end="")`
        """
        import httpx

        route = self.route(name)
        if not route.get("output", {}).get("is_stream"):
            yield self.call(route["name"], *args, **kwargs).value
            return
        payload = self._payload(route, args, kwargs)
        try:
            with self._client.stream("POST", self._address(route), **payload.options) as response:
                if response.status_code != 200:
                    response.read()
                    raise _refusal(self.url, route["name"], response)
                yield from parts_of(route, response.iter_bytes())
        except httpx.TransportError as error:
            raise _unreachable(self.url, error) from error

    def _payload(self, route: Mapping[str, Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Payload:
        arrow = route["name"] not in self._without_arrow and not route.get("is_task")
        payload = payload_of(route, args, kwargs, arrow=arrow)
        payload.options["headers"] = {**self._headers, **payload.options["headers"]}
        return payload

    def _may_do_without(self, route: Mapping[str, Any]) -> bool:
        """Is there JSON to fall back to? What runs there may have no pyarrow, whatever the schema says."""
        if route["name"] in self._without_arrow:
            return False
        self._without_arrow.add(route["name"])
        return True

    def _address(self, route: Mapping[str, Any], action: str = "") -> str:
        return f"{self.url}{route['route']}{action}"

    def _post(self, route: Mapping[str, Any], payload: Payload) -> httpx.Response:
        """The whole answer to a request; of a task, its result."""
        submit = "/submit" if route.get("is_task") else ""
        response = self._sent(lambda: self._client.post(self._address(route, submit), **payload.options))
        if not submit or response.status_code != 200:
            return response
        asked: dict[str, Any] = {"params": {"task_id": response.json()["task_id"]}, "headers": self._headers}
        deadline = time.monotonic() + TIMEOUT
        interval, longest = TASK_INTERVALS
        while True:
            response = self._sent(lambda: self._client.get(self._address(route, "/status"), **asked))
            if not _is_pending(response, deadline):
                break
            time.sleep(interval)
            interval = min(interval * 1.5, longest)
        if response.status_code != 200:
            return response
        return self._sent(lambda: self._client.get(self._address(route, "/get"), **asked))

    async def _apost(
        self, client: httpx.AsyncClient, route: Mapping[str, Any], payload: Payload
    ) -> httpx.Response:
        """`_post` for asynchronous code."""
        submit = "/submit" if route.get("is_task") else ""
        response = await client.post(self._address(route, submit), **payload.options)
        if not submit or response.status_code != 200:
            return response
        asked: dict[str, Any] = {"params": {"task_id": response.json()["task_id"]}, "headers": self._headers}
        deadline = time.monotonic() + TIMEOUT
        interval, longest = TASK_INTERVALS
        while True:
            response = await client.get(self._address(route, "/status"), **asked)
            if not _is_pending(response, deadline):
                break
            await asyncio.sleep(interval)
            interval = min(interval * 1.5, longest)
        if response.status_code != 200:
            return response
        return await client.get(self._address(route, "/get"), **asked)

    @asynccontextmanager
    async def _asynchronous(self) -> AsyncIterator[httpx.AsyncClient]:
        import httpx

        try:
            async with httpx.AsyncClient(**self._options()) as client:
                yield client
        except httpx.TransportError as error:
            raise _unreachable(self.url, error) from error

    def send(self, name: str, body: Any) -> Answer:
        """POST a JSON body as it is, for those who want to see the wire.

        Args:
            name: Name of the endpoint.
            body: What `json.dumps` takes.
        """
        route = self.route(name)
        begun = time.perf_counter()
        response = self._sent(
            lambda: self._client.post(self._address(route), json=body, headers=self._headers)
        )
        return self._answer(route, response, time.perf_counter() - begun)

    def _answer(
        self, route: Mapping[str, Any], response: httpx.Response, total: float, index: Any = None
    ) -> Answer:
        if response.status_code != 200:
            raise _refusal(self.url, route["name"], response)
        value = answer_value(route, response, index)
        timing = Timing.of(total, ", ".join(response.headers.get_list("server-timing")))
        return Answer(value, timing, response.headers.get("x-request-id", ""))

    def _options(self) -> dict[str, Any]:
        verify = Home.default().trust(self.url)
        local = verify is not True or urlsplit(self.url).hostname in ("127.0.0.1", "localhost", "::1")
        return {
            "base_url": self.url,
            "headers": self._headers,
            "timeout": TIMEOUT,
            "follow_redirects": True,
            "trust_env": not local,
            "verify": verify,
        }

    @cached_property
    def _client(self) -> httpx.Client:
        """Kept, since making one takes longer than a call does; threads may share it."""
        import httpx

        if self._given_client is not None:
            return self._given_client
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
        return httpx.Client(**self._options(), limits=limits)

    def _sent(self, send: Callable[[], httpx.Response]) -> httpx.Response:
        import httpx

        try:
            return send()
        except httpx.TransportError as error:
            raise _unreachable(self.url, error) from error


def _is_pending(response: httpx.Response, deadline: float) -> bool:
    """Is a task still to be waited for?"""
    if response.status_code != 200 or response.json().get("status") not in ("pending", "in_progress"):
        return False
    if time.monotonic() > deadline:
        raise CallError(f"the task was not done after {TIMEOUT:g} s", status_code=504)
    return True


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
