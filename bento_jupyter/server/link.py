"""The Jupyter server's one connection to the embedded cloud."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from ..errors import (
    CloudError,
    CloudUnreachableError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    NotLoggedInError,
)
from ..home import CloudState, Home
from ..views import CloudView, DeploymentView
from .payloads import Changes, CloudStatus, Overview

__all__ = ["CloudLink"]

_TIMEOUT = httpx.Timeout(10, connect=2)
#: Streams send a blank line every 10 s; three of them missing means that it is dead.
_STREAM_TIMEOUT = httpx.Timeout(30, connect=2)

_ERRORS: dict[int, type[CloudError]] = {
    400: InvalidRequestError,
    401: NotLoggedInError,
    403: NotLoggedInError,
    404: NotFoundError,
    409: ConflictError,
    422: InvalidRequestError,
}

M = TypeVar("M", bound=BaseModel)


#: Base of our own additions to BentoCloud's API.
OURS = "/api/bj/v1"


class _Deployments(BaseModel):
    deployments: list[DeploymentView]
    event_id: int = 0


class CloudLink:
    """Talks to the embedded cloud of a home, wherever it listens at the moment.

    Each call looks at the state file first, so a cloud that was restarted on another port is found
    without further ado.

    Args:
        home: Home of the cloud.
    """

    def __init__(self, home: Home) -> None:
        self.home = home
        self._client: httpx.AsyncClient | None = None
        self._state: CloudState | None = None
        self._running: asyncio.Task[Overview] | None = None
        self._next: asyncio.Task[Overview] | None = None
        self._life_cycle = asyncio.Lock()

    async def overview(self) -> Overview:
        """The cloud and its deployments as they are after this call; never raises for an absent cloud.

        Many tabs ask at once when a hint goes out; they share an answer. A caller never gets one that
        was begun before it asked, as that could miss what it was told about.
        """
        if self._next is None:
            self._next = asyncio.create_task(self._overview_after(self._running))
        return await asyncio.shield(self._next)

    async def deployment(self, name: str) -> DeploymentView:
        """One deployment as it is now.

        Raises:
            CloudError: The cloud does not know it, or does not answer.
        """
        return await self.get(DeploymentView, f"/deployments/{name}")

    async def changes(self, names: Sequence[str]) -> Changes:
        """Some deployments as they are now: cheaper than `overview` when a few of many have changed.

        Args:
            names: Their names; those that are no more are told apart.

        Raises:
            CloudError: The cloud does not answer.
        """
        found = await asyncio.gather(*(self._deployment_if_any(name) for name in names))
        return Changes(
            deployments=[view for view in found if view is not None],
            gone=[name for name, view in zip(names, found, strict=True) if view is None],
        )

    async def _deployment_if_any(self, name: str) -> DeploymentView | None:
        try:
            return await self.deployment(name)
        except NotFoundError:
            return None

    async def get(self, model: type[M], path: str, query: Mapping[str, str] | None = None) -> M:
        """Read something of the cloud.

        Args:
            model: What the answer is.
            path: Path below `/api/bj/v1`.
            query: The query.

        Raises:
            CloudError: The cloud refuses, does not answer, or answers something else.
        """
        return _parsed(model, await self.request("GET", f"{OURS}{path}", query=query))

    async def send(self, model: type[M], method: str, path: str, body: Any = None) -> M:
        """Ask the cloud to do something; arguments and errors as `get`, `body` is sent as JSON."""
        return _parsed(model, await self.request(method, f"{OURS}{path}", body=body))

    async def request(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: Any = None
    ) -> httpx.Response:
        """One call of the control plane, with its token. Raises `CloudError` as `get`."""
        client = self._connect()
        try:
            answer = await client.request(method, path, params=query, json=body)
        except httpx.HTTPError as error:
            raise CloudUnreachableError(
                f"the embedded cloud does not answer at {client.base_url}: {error or type(error).__name__}",
                hint="its log is logs/cloud.log below its home",
            ) from error
        if answer.is_error:
            raise _error(answer)
        return answer

    async def start_cloud(self) -> None:
        """Start the embedded cloud unless it runs, and wait until it answers.

        Raises:
            CloudError: It ended instead of answering.
            WaitTimeoutError: It did not answer in time.
        """
        from ..client import embedded

        async with self._life_cycle:
            await asyncio.to_thread(embedded.start, self.home)

    async def stop_cloud(self) -> None:
        """Stop the embedded cloud with everything it runs, and wait until it is gone."""
        from ..client import embedded

        async with self._life_cycle:
            await asyncio.to_thread(embedded.stop, self.home)

    @asynccontextmanager
    async def lines(
        self, path: str, query: Mapping[str, str] | None = None
    ) -> AsyncIterator[AsyncIterator[str]]:
        """A stream of the cloud: lines of NDJSON; ends when the cloud does.

        Args:
            path: Path below `/api/bj/v1`, e.g. `/events` for the change feed from now on.
            query: The query.

        Raises:
            CloudError: There is no cloud, it refuses, or does not answer.
            httpx.HTTPError: The connection broke.
        """
        client = self._connect()
        url = f"{OURS}{path}"
        async with client.stream("GET", url, params=query, timeout=_STREAM_TIMEOUT) as answer:
            if answer.status_code != 200:
                await answer.aread()
                raise _error(answer)
            yield (line async for line in answer.aiter_lines() if line)

    def token(self) -> str:
        """The owner's token, which protected deployments take. Raises `CloudError` when there is none."""
        self._connect()
        assert self._state is not None
        return self._state.token

    async def aclose(self) -> None:
        """Close the connection."""
        for task in (self._running, self._next):
            if task is not None:
                task.cancel()
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _overview_after(self, earlier: asyncio.Task[Overview] | None) -> Overview:
        if earlier is not None:
            await asyncio.wait([earlier])
        self._running, self._next = self._next, None
        try:
            cloud, listed = await asyncio.gather(
                self.get(CloudView, "/cloud"), self.get(_Deployments, "/deployments")
            )
        except CloudUnreachableError as error:
            state: CloudStatus = "unreachable" if self._process_lives() else "stopped"
            return Overview(state=state, message=error.message)
        except CloudError as error:
            return Overview(state="unreachable", message=error.message)
        return Overview(
            state="running", cloud=cloud, deployments=listed.deployments, event_id=listed.event_id
        )

    def _process_lives(self) -> bool:
        import psutil

        state = self.home.read_state()
        if state is None:
            return False
        try:
            # A cloud that was killed leaves its state file, and its process id may be another's by now.
            return "bento_jupyter.cloud" in " ".join(psutil.Process(state.pid).cmdline())
        except psutil.Error:
            return False

    def _connect(self) -> httpx.AsyncClient:
        state = self.home.read_state()
        if state is None:
            raise CloudUnreachableError("the embedded cloud is not running", hint="start it")
        if self._client is None or state != self._state:
            try:
                token = state.token
            except OSError as error:
                raise NotLoggedInError(
                    f"cannot read the cloud's token: {error}", hint="stop the cloud and start it again"
                ) from error
            # The old client is left to its requests in flight; its idle connections go with it.
            self._client = httpx.AsyncClient(
                base_url=state.endpoint,
                headers={"X-YATAI-API-TOKEN": token},
                timeout=_TIMEOUT,
                trust_env=False,
                verify=self.home.trust(state.endpoint),
            )
            self._state = state
        return self._client


def _parsed(model: type[M], answer: httpx.Response) -> M:
    try:
        return model.model_validate_json(answer.content)
    except ValidationError as error:
        raise CloudError(
            f"the embedded cloud's answer to {answer.request.url.path} is not understood: "
            f"{error.errors()[0]['msg']}",
            hint="Jupyter and the cloud may run different versions of bento_jupyter: restart both",
            status_code=502,
        ) from error


def _error(answer: httpx.Response) -> CloudError:
    try:
        said = answer.json()
    except ValueError:
        said = None
    said = said if isinstance(said, dict) else {}
    message = said.get("message") or said.get("error") or f"the embedded cloud answered {answer.status_code}"
    kind = _ERRORS.get(answer.status_code, CloudError)
    return kind(str(message), hint=str(said.get("hint") or ""), status_code=answer.status_code)
