"""What a deployment can be asked: the half of `Deployment` that calls its endpoints."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import BentoJupyterError, CallError, CloudError, DeploymentError
from ..spec import Status
from .endpoint import Answer, Endpoints, Timing
from .failures import explain, failure_of_stream
from .methods import Method
from .payload import joined

if TYPE_CHECKING:
    from .cloud import Cloud
    from .rows import Errors
    from .snippets import Snippet
    from .tasks import Task

__all__ = ["Calls"]

#: Seconds after which the endpoints are looked at again, where answers do not tell which version gave them.
FRESH = 5.0
#: Bytes of a table from which on Arrow is faster than JSON.
ARROW_FROM = 32 * 1024
#: What is answered (None: nothing, or it was not sent) when an endpoint, its address or its token is another.
MAY_BE_OUTDATED = frozenset({None, 401, 403, 404, 503})

T = TypeVar("T")


@dataclass
class _Known:
    """The endpoints, what was seen of the deployment when they were made, and when it was looked at last."""

    endpoints: Endpoints
    seen: tuple[str, bool, str]
    looked: float


class Calls:
    """The calls of a deployment, and its endpoints as methods.

    Args:
        cloud: The cloud it is in.
        name: Its name.
    """

    def __init__(self, cloud: Cloud, name: str) -> None:
        self.cloud = cloud
        self.name = name
        self._endpoints: _Known | None = None
        self.last_timing: Timing | None = None

    @property
    def endpoints(self) -> Endpoints:
        """Its endpoints; their schema is taken from the registry, so that looking does not wake it.

        They are kept: answers tell when another version has given them. Where the cloud's answers do not
        tell, they are looked at again after a few seconds.

        Raises:
            DeploymentError: It has no endpoints now: it is terminated, or has no URL yet.
        """
        known = self._endpoints
        if known is None or (not self.cloud.embedded and time.monotonic() > known.looked + FRESH):
            return self.refreshed()
        return known.endpoints

    def refreshed(self) -> Endpoints:
        """`endpoints`, after a look at the deployment as it is now."""
        view = self.cloud.view(self.name)
        if view.url is None or view.status in (Status.TERMINATED, Status.TERMINATING):
            raise DeploymentError(
                f"deployment {self.name!r} is {view.status.value}",
                hint=view.reason or f"%bento_start {self.name} brings it back",
            )
        seen = (view.url, view.protected, view.bento)
        if self._endpoints is None or self._endpoints.seen != seen:
            endpoints = Endpoints(
                view.url,
                self.cloud.token if view.protected else None,
                self._schema_of(view.bento),
                bento=view.bento,
                lookup=self._schema_of_another,
                explain=lambda errors: explain(errors, self.cloud, self.name),
                arrow_from=ARROW_FROM,
            )
            self._endpoints = _Known(endpoints, seen, time.monotonic())
        self._endpoints.looked = time.monotonic()
        return self._endpoints.endpoints

    def _schema_of(self, bento: str) -> dict[str, Any] | None:
        """The schema in the manifest of a Bento; None when the registry has none of this tag."""
        try:
            schema: dict[str, Any] | None = self.cloud.bento(bento)["schema"] if bento else None
        except CloudError:  # e.g. the files of a codespace, or a version that was deleted since
            return None
        return schema

    def _schema_of_another(self, bento: str) -> dict[str, Any] | None:
        """The same of the Bento that an answer named, if it was this deployment that answered."""
        known = self._endpoints
        if known is not None and self.status().url != known.endpoints.url:
            raise CallError(
                f"deployment {self.name!r} is at another address now", hint="call again", status_code=404
            )
        return self._schema_of(bento)

    def _asked(self, ask: Callable[[Endpoints], T]) -> T:
        """Ask the endpoints; once more when they turn out to be others than those that were known."""
        was_known = self._endpoints is not None
        endpoints = self.endpoints
        try:
            return ask(endpoints)
        except CallError as error:
            if not (was_known and _may_be_outdated(error)):
                raise
            renewed = self.refreshed()
            if renewed is endpoints:
                raise
        return ask(renewed)

    def call(self, endpoint: str = "", /, *args: Any, **kwargs: Any) -> Any:
        """Call an endpoint; `last_timing` tells afterwards where the time went.

        Args:
            endpoint: Its name; "" = the only one, or `predict`.
            *args: Its inputs.
            **kwargs: Its inputs by name; `timeout` in seconds, unless an input is called so.

        Raises:
            CallError: The inputs do not fit, or the endpoint refused or failed.
            WaitTimeoutError: It did not answer in time.
        """
        output = self._asked(lambda endpoints: endpoints.route(endpoint)).get("output", {})
        if output.get("is_stream"):
            return joined(list(self.stream(endpoint, *args, **kwargs)), output)
        return self._kept(self._asked(lambda endpoints: endpoints.call(endpoint, *args, **kwargs)))

    async def acall(self, endpoint: str = "", /, *args: Any, **kwargs: Any) -> Any:
        """`call` for asynchronous code."""
        was_known = self._endpoints is not None
        endpoints = await asyncio.to_thread(lambda: self.endpoints)
        try:
            return self._kept(await endpoints.acall(endpoint, *args, **kwargs))
        except CallError as error:
            if not (was_known and _may_be_outdated(error)):
                raise
            renewed = await asyncio.to_thread(self.refreshed)
            if renewed is endpoints:
                raise
        return self._kept(await renewed.acall(endpoint, *args, **kwargs))

    def stream(self, endpoint: str = "", /, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """Call an endpoint and give the parts of its answer as they come.

        Args:
            endpoint: Its name; "" = the only one, or `predict`.
            *args: Its inputs.
            **kwargs: Its inputs by name.

        Yields:
            Pieces of text or bytes, whose seams are not the generator's; of other streams each part.

        Raises:
            CallError: The inputs do not fit, the endpoint refused, or broke off midway.
        """
        self._asked(lambda endpoints: endpoints.route(endpoint))
        end = yield from self.endpoints.stream(endpoint, *args, **kwargs)
        self.last_timing = end.timing
        failure = failure_of_stream(self.cloud, self.name, endpoint, end)
        if failure is not None:
            raise failure

    def submit(self, endpoint: str = "", /, *args: Any, **kwargs: Any) -> Task:
        """Have a task done, and do not wait for it.

        Args:
            endpoint: Its name, of a `@bentoml.task`; "" = the only one, or `predict`.
            *args: Its inputs.
            **kwargs: Its inputs by name.

        Raises:
            CallError: It is no task, the inputs do not fit, or it was refused.
        """
        return self._asked(lambda endpoints: endpoints.submit(endpoint, *args, **kwargs))

    def task(self, endpoint: str, task_id: str) -> Task:
        """A task that was submitted before, here or elsewhere."""
        return self._asked(lambda endpoints: endpoints.task(endpoint, task_id))

    def map(
        self,
        endpoint: str,
        items: Iterable[Any],
        *,
        parallel: int = 8,
        rows: int | None = None,
        errors: Errors = "raise",
        timeout: float | None = None,
        quiet: bool = False,
    ) -> Any:
        """Call an endpoint once for each item, several at a time, with a progress bar.

        Args:
            endpoint: Its name; "" = the only one, or `predict`.
            items: Its inputs: one that takes a single input gets the item; of others a dict has the inputs
                by name, a tuple by position.
            parallel: Calls under way at a time, at most.
            rows: `items` is a table: send so many rows at a time, and put the answers together again.
            errors: `raise`: the first error ends it all; `return`: errors take the places of answers.
            timeout: Seconds for each call.
            quiet: Show no progress.

        Returns:
            The answers, in the order of the items; with `rows` one table.

        Raises:
            CallError: One failed; the message says which.

        Example:
            `dep.map("predict", X_test, rows=1000, parallel=4)`
        """
        from ..display.answers import Counter
        from .rows import joined_rows, map_items, split_rows

        self._asked(lambda endpoints: endpoints.route(endpoint))
        wanted = items if rows is None else split_rows(items, rows)
        total = len(wanted) if isinstance(wanted, Sized) else None
        with Counter(f"Calling {self.name}", total, parallel, quiet=quiet) as counter:
            answers = map_items(
                self.endpoints,
                endpoint,
                wanted,
                parallel=parallel,
                errors=errors,
                timeout=timeout,
                progress=counter.count,
            )
        return answers if rows is None else joined_rows(answers)

    def send(self, endpoint: str, body: Any, *, timeout: float | None = None) -> Any:
        """POST a JSON body to an endpoint as it is."""
        return self._kept(self._asked(lambda endpoints: endpoints.send(endpoint, body, timeout=timeout)))

    def snippet(self, kind: str, endpoint: str = "", /, *args: Any, **kwargs: Any) -> Snippet:
        """How to call an endpoint from elsewhere; the token is an environment variable.

        Args:
            kind: `curl`, `python` (the `bentoml` client), `httpx`, `requests` or `javascript`.
            endpoint: Its name; "" = the only one, or `predict`.
            *args: Inputs to call it with; none = an example.
            **kwargs: The same by name.

        Example:
            >>> print(dep.snippet("curl", "predict", X[:1]))      # doctest: +SKIP
        """
        from .snippets import snippet_of

        view = self.cloud.view(self.name)
        return self._asked(
            lambda endpoints: snippet_of(
                kind, endpoints.url, endpoints.route(endpoint), args, kwargs, protected=view.protected
            )
        )

    def _kept(self, answer: Answer) -> Any:
        self.last_timing = answer.timing
        return answer.value

    def __getattr__(self, name: str) -> Any:
        """Endpoints are methods: `dep.predict(X)`, and `dep.apredict(X)` for asynchronous code.

        Only asked for names that a deployment has not itself; `call` takes any name.
        """
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            endpoints = self.endpoints
            if name not in endpoints.names and name[1:] not in endpoints.names:
                endpoints = self.refreshed()
            names = endpoints.names
        except BentoJupyterError as error:
            raise AttributeError(f"{name}: {error}", name=name, obj=self) from error
        if name in names:
            return Method(self, endpoints.route(name))
        if name.startswith("a") and name[1:] in names:
            return Method(self, endpoints.route(name[1:])).acall
        raise AttributeError(
            f"deployment {self.name!r} has no endpoint {name!r}; endpoints: {', '.join(names)}",
            name=name,
            obj=self,
        )

    def __dir__(self) -> list[str]:
        known = set(super().__dir__())
        try:
            return sorted(known.union(self.endpoints.names))
        except BentoJupyterError:  # it has none now
            return sorted(known)

    def client(self) -> Any:
        """A `bentoml.SyncHTTPClient` for its endpoints, with the token where one is needed."""
        import bentoml

        view = self.cloud.view(self.name)
        return bentoml.SyncHTTPClient(
            self.url,
            # Without a token the client would send BENTO_CLOUD_API_KEY, whomever that is for.
            token=self.cloud.token if view.protected else "",
            timeout=300,
        )


def _may_be_outdated(error: CallError) -> bool:
    """Is this what is answered where endpoint, address or token are others now, and nothing has run?"""
    return error.status_code in MAY_BE_OUTDATED and not error.may_have_run
