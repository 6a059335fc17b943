"""Calls of a deployment's endpoints over HTTP, with arrays and frames in and out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar
from urllib.parse import urlsplit

from ..errors import CallError
from ..home import Home
from .deadlines import until, whole_answer
from .payload import Payload, answer_value, json_of, parts_of, payload_of, takes_arrow
from .refusals import (
    broken_off,
    may_have_run,
    moved_on,
    refusal,
    request_id_of,
    too_slow,
    unreachable,
)
from .tasks import Task
from .timing import Timing

if TYPE_CHECKING:
    import httpx

__all__ = ["Answer", "Endpoints", "StreamEnd", "Timing"]

#: Seconds a call may take in all: a cold start may be held for minutes before the work begins.
TIMEOUT = 660.0
#: How often a request is sent, at most, while versions that want another one refuse it.
ATTEMPTS = 5
#: Seconds between two looks at a task: at first, and at most.
TASK_INTERVALS = (0.02, 1.0)

Route: TypeAlias = Mapping[str, Any]
T = TypeVar("T")


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


@dataclass(frozen=True)
class StreamEnd:
    """How a stream ended.

    Attributes:
        timing: Where the time went.
        request_id: Id of the request in the logs.
    """

    timing: Timing
    request_id: str = ""


@dataclass(frozen=True)
class Request:
    """A request that a conversation wants sent; what it is given is the answer."""

    method: str
    url: str
    options: dict[str, Any]

    @property
    def what(self) -> str:
        """What is asked, in messages."""
        return urlsplit(self.url).path.strip("/")


#: What a call does in turn, said once for synchronous and asynchronous code: a request to be sent, seconds
#: to be waited, or work that may block. It gets the answers to its requests and what its work returns, and
#: returns what the call gives.
Step: TypeAlias = "Request | float | Callable[[], Any]"
Conversation: TypeAlias = Generator[Step, Any, T]


class Endpoints:
    """The endpoints below one URL.

    Args:
        url: Base URL of the deployment.
        token: For `Authorization: Bearer`; None = none is sent.
        schema: The service's schema as in `/schema.json`, when it is known already: asking the
            deployment for it would start an instance.
        client: HTTP client to use, which stays the caller's; None = one of its own.
        bento: Tag of the Bento that the schema is of; "" = not known.
        lookup: Gives the schema of another Bento, by tag, when answers tell that one runs now;
            None = the deployment is asked.
        arrow_from: Bytes from which on tables go as Arrow: small ones are faster as JSON.
        timeout: Seconds that a call may take, where it does not say itself; None = the given
            client's, or eleven minutes.
        explain: Adds to the errors of failed calls what is known about them elsewhere; it may block.
        ended: Told of each stream that came to an end; raises when it is known elsewhere that it broke off.
            It may block.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        schema: Mapping[str, Any] | None = None,
        client: httpx.Client | None = None,
        *,
        bento: str = "",
        lookup: Callable[[str], Mapping[str, Any] | None] | None = None,
        arrow_from: int = 0,
        timeout: float | None = None,
        explain: Callable[[Sequence[CallError]], None] | None = None,
        ended: Callable[[str, StreamEnd], None] | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.timeout: float = timeout or (client is not None and client.timeout.read) or TIMEOUT
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._schema = dict(schema) if schema else None
        self._given_client = client
        self._bento = bento
        self._version = ""
        self._schemas: dict[str, dict[str, Any]] = {}  # of versions that answered before: canaries take turns
        self._lookup = lookup
        self._arrow_from = arrow_from
        self._without_arrow: set[str] = set()
        #: Adds to errors what is known about them elsewhere; for those who drive conversations themselves.
        self.explain: Callable[[Sequence[CallError]], None] = explain or (lambda _: None)
        self._ended: Callable[[str, StreamEnd], None] = ended or (lambda _name, _end: None)
        self._asynchronous: dict[asyncio.AbstractEventLoop, tuple[Any, httpx.AsyncClient]] = {}

    # --- what there is -----------------------------------------------------------------------

    @property
    def schema(self) -> dict[str, Any]:
        """The service's schema."""
        if self._schema is None:
            with self._errors("schema.json", self.timeout):
                response = self._client.get(f"{self.url}/schema.json", headers=self._headers)
            if response.status_code != 200:
                raise refusal(self.url, "schema.json", response)
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
            close = get_close_matches(name, routes)
            known = f"did you mean {' or '.join(close)}? " if close else ""
            raise CallError(
                f"no endpoint {name!r} at {self.url}",
                hint=f"{known}endpoints: {', '.join(routes) or 'none'}",
            )
        return routes[name]

    def takes_arrow(self, name: str = "") -> bool:
        """True when tables go to and from an endpoint as Arrow, not as JSON."""
        route = self.route(name)
        return route["name"] not in self._without_arrow and takes_arrow(route)

    # --- call --------------------------------------------------------------------------------

    def call(self, name: str = "", /, *args: Any, **kwargs: Any) -> Answer:
        """Call an endpoint and wait for its answer; of a task, for its result; of a stream, for its end.

        Tables go as Arrow where the endpoint takes it, files as a form, everything else as JSON.

        Args:
            name: Name of the endpoint; "" = the only one, or `predict`.
            *args: Its inputs, in the order of its schema: arrays, frames, plain values, images, paths.
            **kwargs: Its inputs by name; `timeout` in seconds, unless an input is called so.

        Raises:
            CallError: The inputs do not fit, or the endpoint refused or failed.
            WaitTimeoutError: It did not answer in time.
        """
        return self._held(self._called(name, args, kwargs))

    async def acall(self, name: str = "", /, *args: Any, **kwargs: Any) -> Answer:
        """`call` for asynchronous code."""
        if self._schema is None:
            await asyncio.to_thread(lambda: self.schema)
        try:
            return await self._aheld(await self._client_of_loop(), self._called(name, args, kwargs))
        except CallError as error:
            await asyncio.to_thread(self.explain, [error])
            raise

    def submit(self, name: str = "", /, *args: Any, **kwargs: Any) -> Task:
        """Have a task done, and do not wait for it.

        Args:
            name: Name of the endpoint, a `@bentoml.task`; "" = the only one, or `predict`.
            *args: Its inputs, in the order of its schema.
            **kwargs: Its inputs by name.

        Raises:
            CallError: It is no task, the inputs do not fit, or it was refused.
        """
        return self._held(self._submitted(name, args, kwargs))

    def task(self, name: str, task_id: str) -> Task:
        """A task that was submitted before, here or elsewhere."""
        return Task(self, self._task_route(name), task_id)

    def stream(self, name: str = "", /, *args: Any, **kwargs: Any) -> Generator[Any, None, StreamEnd]:
        """Call an endpoint and give the parts of its answer as they come.

        Args:
            name: Name of the endpoint; "" = the only one, or `predict`.
            *args: Its inputs, in the order of its schema.
            **kwargs: Its inputs by name.

        Yields:
            Pieces of text or bytes, whose seams are not the generator's; of other streams each part.

        Raises:
            CallError: The inputs do not fit, the endpoint refused or failed, or broke off midway.

        Example:
            `for word in endpoints.stream("tell", "a story"): print(word, end="")`
        """
        route: Route = self.route(name)
        if not route.get("output", {}).get("is_stream"):
            answer = self.call(route["name"], *args, **kwargs)
            yield answer.value
            return StreamEnd(answer.timing, answer.request_id)
        timeout = self._timeout_in(route, kwargs)
        payload = self._payload(route, args, kwargs)
        begun, came, attempts = time.perf_counter(), [0], 0
        deadline = time.monotonic() + timeout
        while True:
            address, attempts = self._address(route), attempts + 1
            with (
                self._errors(route["name"], timeout, lambda: came[0]),
                self._client.stream("POST", address, timeout=timeout, **payload.options) as response,
            ):
                if response.status_code != 200:
                    response.read()
                route, renewed = self._met(route, payload, response, args, kwargs)
                if renewed is not None and attempts < ATTEMPTS:
                    payload = renewed
                    continue
                if response.status_code != 200:
                    error = refusal(self.url, route["name"], response)
                    self.explain([error])
                    raise error
                for part in parts_of(route, until(deadline, response.iter_bytes())):
                    came[0] += 1
                    yield part
                end = StreamEnd(_timing(response, begun), request_id_of(response))
                self._ended(route["name"], end)
                return end

    def send(self, name: str, body: Any, *, timeout: float | None = None) -> Answer:
        """POST a JSON body as it is, for those who want to see the wire.

        Args:
            name: Name of the endpoint.
            body: What `json.dumps` takes.
            timeout: Seconds; None = those of all calls.
        """
        return self._held(self._sent(self.route(name), body, timeout or self.timeout))

    # --- conversations -----------------------------------------------------------------------

    def _called(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Conversation[Answer]:
        route = self.route(name)
        kwargs = dict(kwargs)
        timeout = self._timeout_in(route, kwargs)
        payload = self._payload(route, args, kwargs)
        begun = time.perf_counter()
        for attempt in range(1, ATTEMPTS + 1):
            response = yield from self._posted(route, payload, timeout)
            route, renewed = yield partial(self._met, route, payload, response, args, kwargs)
            if renewed is None or attempt == ATTEMPTS:
                break
            payload = renewed
        answer = self._answer(route, response, begun, payload.index)
        if route.get("output", {}).get("is_stream"):
            yield partial(self._ended, route["name"], StreamEnd(answer.timing, answer.request_id))
        return answer

    def _met(
        self,
        route: Route,
        payload: Payload,
        response: httpx.Response,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> tuple[Route, Payload | None]:
        """By which schema an answer is to be read, and what is to be sent instead: None = nothing.

        Sent again is only what no endpoint has run for. What another version than the one that is known has
        answered is taken when it would have been sent the very same.

        Raises:
            CallError: It has answered what it would not have been sent.
        """
        refused = response.status_code != 200 and not may_have_run(response)
        if self._is_other_version(response):
            self._learn(response)
            if refused:
                route = self.route(route["name"])
                return route, self._payload(route, args, kwargs)
            if response.status_code == 200:
                route = self.route(route["name"])
                same = self._payload(route, args, kwargs, arrow=payload.arrow)
                if same.body != payload.body:
                    raise moved_on(route["name"], self._bento, response)
        elif refused and response.status_code == 415 and self._may_do_without(route):
            return route, self._payload(route, args, kwargs)
        return route, None

    def _posted(self, route: Route, payload: Payload, timeout: float) -> Conversation[httpx.Response]:
        """The whole answer to a request; of a task, its result."""
        submit = "/submit" if route.get("is_task") else ""
        response: httpx.Response = yield Request(
            "POST", self._address(route, submit), {**payload.options, "timeout": timeout}
        )
        if not submit or response.status_code != 200:
            return response
        return (yield from self._awaited(route, response.json()["task_id"], timeout))

    def _awaited(
        self,
        route: Route,
        task_id: str,
        timeout: float | None,
        progress: Callable[[str], None] | None = None,
    ) -> Conversation[httpx.Response]:
        """The answer that a task ends with."""
        deadline = None if timeout is None else time.monotonic() + timeout
        interval, longest = TASK_INTERVALS
        while True:
            response: httpx.Response = yield self._about(route, task_id, "status")
            if response.status_code != 200:
                return response
            status = response.json().get("status")
            if progress is not None:
                progress(status)
            if status not in ("pending", "in_progress"):
                break
            if deadline is not None and time.monotonic() > deadline:
                raise too_slow(f"task {task_id} of {route['name']}", timeout or 0)
            yield interval
            interval = min(interval * 1.5, longest)
        result: httpx.Response = yield self._about(route, task_id, "get")
        return result

    def _submitted(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Conversation[Task]:
        route = self._task_route(name)
        payload = self._payload(route, args, kwargs)
        options = {**payload.options, "timeout": self.timeout}
        response: httpx.Response = yield Request("POST", self._address(route, "/submit"), options)
        if response.status_code != 200:
            raise refusal(self.url, route["name"], response)
        return Task(self, route, response.json()["task_id"], payload.index)

    def _sent(self, route: Route, body: Any, timeout: float) -> Conversation[Answer]:
        begun = time.perf_counter()
        options = {"json": body, "headers": self._headers}
        response = yield from self._posted(route, Payload(options), timeout)
        if self._is_other_version(response):
            yield lambda: self._learn(response)
            route = self.route(route["name"])
        return self._answer(route, response, begun)

    def _asked_about(self, route: Route, task_id: str, action: str) -> Conversation[httpx.Response]:
        response: httpx.Response = yield self._about(route, task_id, action)
        return response

    def _about(self, route: Route, task_id: str, action: str) -> Request:
        method = {"cancel": "PUT", "retry": "POST"}.get(action, "GET")
        options = {"params": {"task_id": task_id}, "headers": self._headers, "timeout": self.timeout}
        return Request(method, self._address(route, f"/{action}"), options)

    def _held(self, conversation: Conversation[T]) -> T:
        """What a conversation ends with; its error, explained."""
        try:
            return self._driven(conversation)
        except CallError as error:
            self.explain([error])
            raise

    def _driven(self, conversation: Conversation[T]) -> T:
        given: Any = None
        while True:
            try:
                step = conversation.send(given)
            except StopIteration as ended:
                found: T = ended.value
                return found
            given = None
            if isinstance(step, Request):
                with self._errors(step.what, step.options["timeout"]):
                    given = whole_answer(self._client, step.method, step.url, step.options)
            elif callable(step):
                given = step()
            else:
                time.sleep(step)

    async def _aheld(self, client: httpx.AsyncClient, conversation: Conversation[T]) -> T:
        """`_driven` for asynchronous code."""
        given: Any = None
        while True:
            try:
                step = conversation.send(given)
            except StopIteration as ended:
                found: T = ended.value
                return found
            given = None
            if isinstance(step, Request):
                with self._errors(step.what, step.options["timeout"]):
                    given = await asyncio.wait_for(
                        client.request(step.method, step.url, **step.options), step.options["timeout"]
                    )
            elif callable(step):
                given = await asyncio.to_thread(step)
            else:
                await asyncio.sleep(step)

    # --- what they are made of ---------------------------------------------------------------

    def _task_route(self, name: str) -> dict[str, Any]:
        route = self.route(name)
        if not route.get("is_task"):
            tasks = [each["name"] for each in self.schema.get("routes", []) if each.get("is_task")]
            raise CallError(
                f"endpoint {route['name']!r} is no task",
                hint=f"tasks: {', '.join(tasks)}" if tasks else "only methods with @bentoml.task are tasks",
            )
        return route

    def _timeout_in(self, route: Route, kwargs: dict[str, Any]) -> float:
        """Take `timeout` out of the inputs, unless the endpoint has one of that name."""
        if "timeout" in kwargs and "timeout" not in route.get("input", {}).get("properties", {}):
            timeout = kwargs.pop("timeout")
            return self.timeout if timeout is None else float(timeout)
        return self.timeout

    def _payload(
        self, route: Route, args: tuple[Any, ...], kwargs: Mapping[str, Any], *, arrow: bool = True
    ) -> Payload:
        allowed = arrow and route["name"] not in self._without_arrow and not route.get("is_task")
        least = self._arrow_from if allowed else None
        payload = payload_of(route, args, kwargs, arrow_from=least)
        payload.options["headers"] = {**self._headers, **payload.options["headers"]}
        if "json" in payload.options:
            payload.options["content"] = json_of(route, "the input", payload.options.pop("json"))
            payload.options["headers"]["Content-Type"] = "application/json"
        return payload

    def _may_do_without(self, route: Route) -> bool:
        """Is there JSON to fall back to? What runs there may have no pyarrow, whatever the schema says."""
        if route["name"] in self._without_arrow:
            return False
        self._without_arrow.add(route["name"])
        return True

    def _is_other_version(self, response: httpx.Response) -> bool:
        """Was this answered by another version than the one whose schema is known? `X-Bento` tells."""
        version = response.headers.get("x-bento", "")
        if not version or version == self._version:
            return False
        if not self._version and self._bento in ("", version.partition("@")[0]):
            self._version = version
            return False
        return True

    def _learn(self, response: httpx.Response) -> None:
        """Take the schema of the version that answered."""
        version = response.headers["x-bento"]
        tag = version.partition("@")[0]
        if self._schema is not None:
            self._schemas[self._version] = self._schema
        found = self._schemas.get(version) or (self._lookup(tag) if self._lookup is not None else None)
        self._schema = dict(found) if found else None
        self._without_arrow.clear()
        self._bento, self._version = tag, version
        _ = self.schema

    def _address(self, route: Route, action: str = "") -> str:
        return f"{self.url}{route['route']}{action}"

    def _answer(self, route: Route, response: httpx.Response, begun: float, index: Any = None) -> Answer:
        if response.status_code != 200:
            raise refusal(self.url, route["name"], response)
        timing = _timing(response, begun)
        return Answer(answer_value(route, response, index), timing, request_id_of(response))

    # --- transport ---------------------------------------------------------------------------

    @asynccontextmanager
    async def opened(self, connections: int | None = None) -> AsyncIterator[httpx.AsyncClient]:
        """An asynchronous client for these endpoints."""
        import httpx

        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections or 20)
        async with httpx.AsyncClient(**self._options(), limits=limits) as client:
            yield client

    async def _client_of_loop(self) -> httpx.AsyncClient:
        """The asynchronous client of the running event loop, which closes it when it ends itself."""
        for loop in [loop for loop in self._asynchronous if loop.is_closed()]:
            self._asynchronous.pop(loop, None)
        running = asyncio.get_running_loop()
        if running not in self._asynchronous:
            # A generator that is under way: `asyncio.run` closes those in the end, and so the client.
            opened = self.opened()
            client = await opened.__aenter__()
            self._asynchronous.setdefault(running, (opened, client))
        return self._asynchronous[running][1]

    def _options(self) -> dict[str, Any]:
        verify = Home.default().trust(self.url)
        local = verify is not True or urlsplit(self.url).hostname in ("127.0.0.1", "localhost", "::1")
        return {
            "base_url": self.url,
            "headers": self._headers,
            "timeout": self.timeout,
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

    @contextmanager
    def _errors(self, what: str, timeout: float, parts: Callable[[], int] | None = None) -> Iterator[None]:
        """Translate what httpx raises into our tree."""
        import httpx

        try:
            yield
        except (httpx.TimeoutException, asyncio.TimeoutError) as error:
            raise too_slow(what, timeout) from error
        except httpx.RemoteProtocolError as error:
            if "body" in str(error) or "chunked" in str(error):  # its head had come
                raise broken_off(self.url, what, parts() if parts else None) from error
            raise unreachable(self.url, error) from error
        except httpx.TransportError as error:
            raise unreachable(self.url, error) from error


def _timing(response: httpx.Response, begun: float) -> Timing:
    header = ", ".join(response.headers.get_list("server-timing"))
    return Timing.of(time.perf_counter() - begun, header)
