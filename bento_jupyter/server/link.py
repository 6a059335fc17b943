"""The Jupyter server's connection to a cloud: the embedded one, or one that `bentoml` is logged in to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

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
from ..home import Home
from ..views import CloudView, DeploymentView
from .payloads import Changes, CloudStatus, Overview

__all__ = ["LOOPBACK", "OURS", "Address", "CloudLink", "Stat", "stat_of"]

#: Names of this machine, which no proxy leads to.
LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")

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

#: What shows that a file is another one: inode, time, size; None = there is none.
Stat = tuple[int, int, int] | None

#: Base of our own additions to BentoCloud's API.
OURS = "/api/bj/v1"


@dataclass(frozen=True)
class Address:
    """Where a cloud is, and the token that it takes."""

    endpoint: str
    token: str = field(repr=False)


class _Deployments(BaseModel):
    deployments: list[DeploymentView]
    event_id: int = 0


class CloudLink:
    """Talks to the embedded cloud of a home, wherever it listens at the moment.

    Each call looks at the files of state and token first, so a cloud that was restarted on another port, or
    got another token, is found without further ado.

    Args:
        home: Home of the cloud.

    Attributes:
        name: What the verbs' `--cloud` calls it.
        context: The same; "" for the embedded cloud, which they use unless told otherwise.
        title: What to call it in messages.
    """

    name = "embedded"
    context = ""
    title = "the embedded cloud"

    def __init__(self, home: Home) -> None:
        self.home = home
        self._client: httpx.AsyncClient | None = None
        self._known: tuple[Address, tuple[Stat, ...]] | None = None
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

    async def reached(self, name: str) -> tuple[DeploymentView, str, dict[str, str]]:
        """A deployment as it is now, its address, and the headers with which it answers.

        Raises:
            CloudError: The cloud does not know it, does not answer, or it has no address yet.
        """
        cloud = self.address()
        view = await self.deployment(name)
        if view.url is None:
            raise CloudError(f"{name} has no address yet: it is {view.status.value}", status_code=409)
        if self.address() != cloud:
            # Somebody logged in elsewhere meanwhile: the token of one cloud is not for another's deployment.
            raise CloudError(f"{self.title} is another one now: ask again", status_code=409)
        return view, view.url, {"Authorization": f"Bearer {cloud.token}"} if view.protected else {}

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
        return self._parsed(model, await self.request("GET", f"{OURS}{path}", query=query))

    async def send(self, model: type[M], method: str, path: str, body: Any = None) -> M:
        """Ask the cloud to do something; arguments and errors as `get`, `body` is sent as JSON."""
        return self._parsed(model, await self.request(method, f"{OURS}{path}", body=body))

    async def request(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: Any = None
    ) -> httpx.Response:
        """One call of the control plane, with its token. Raises `CloudError` as `get`."""
        client = self._connect()
        try:
            answer = await client.request(method, path, params=query, json=body)
        except httpx.HTTPError as error:
            raise CloudUnreachableError(
                f"{self.title} does not answer at {client.base_url}: {error or type(error).__name__}",
                hint=self._where_to_look,
            ) from error
        if answer.is_error:
            raise self._refusal(answer)
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
                raise self._refusal(answer)
            yield (line async for line in answer.aiter_lines() if line)

    def options(self, url: str) -> dict[str, Any]:
        """How httpx is to call `url`, which is of this cloud: whom to trust, and whether by a proxy."""
        direct = not self.context or urlsplit(url).hostname in LOOPBACK
        return {"trust_env": not direct, "verify": self.home.trust(url)}

    def signature(self) -> tuple[Stat, ...]:
        """Another one when the cloud may be elsewhere or take another token; first None while it is off."""
        return stat_of(self.home.state_file), stat_of(self.home.token_file)

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
            return await self._look()
        except CloudUnreachableError as error:
            state: CloudStatus = "unreachable" if self._may_live() else "stopped"
            return Overview(context=self.context, state=state, message=error.message)
        except NotLoggedInError as error:
            return Overview(context=self.context, state="refused", message=error.message)
        except CloudError as error:
            return Overview(context=self.context, state="unreachable", message=error.message)

    async def _look(self) -> Overview:
        """The cloud and its deployments. Raises `CloudError`."""
        cloud, listed = await asyncio.gather(
            self.get(CloudView, "/cloud"), self.get(_Deployments, "/deployments")
        )
        return Overview(
            context=self.context,
            state="running",
            cloud=cloud,
            deployments=listed.deployments,
            event_id=listed.event_id,
        )

    def _may_live(self) -> bool:
        """Whether it is there, though it does not answer."""
        import psutil

        state = self.home.read_state()
        if state is None:
            return False
        try:
            # A cloud that was killed leaves its state file, and its process id may be another's by now.
            return "bento_jupyter.cloud" in " ".join(psutil.Process(state.pid).cmdline())
        except psutil.Error:
            return False

    def address(self) -> Address:
        """Where it is now. Raises `CloudUnreachableError`, `NotLoggedInError`."""
        state = self.home.read_state()
        if state is None:
            raise CloudUnreachableError("the embedded cloud is not running", hint="start it")
        try:
            return Address(state.endpoint, state.token)
        except (OSError, ValueError) as error:
            raise NotLoggedInError(
                f"cannot read the cloud's token: {error}", hint="stop the cloud and start it again"
            ) from error

    @property
    def _where_to_look(self) -> str:
        """What may tell why it does not answer."""
        return "its log is logs/cloud.log below its home"

    @property
    def _why_not_understood(self) -> str:
        """What may be behind an answer that makes no sense."""
        return "Jupyter and the cloud may run different versions of bento_jupyter: restart both"

    def _connect(self) -> httpx.AsyncClient:
        address = self.address()
        # A cloud that was started again may have another certificate at the same place.
        known = address, self.signature()
        if self._client is None or known != self._known:
            # The old client is left to its requests in flight; its idle connections go with it.
            self._client = httpx.AsyncClient(
                base_url=address.endpoint,
                headers={"X-YATAI-API-TOKEN": address.token},
                timeout=_TIMEOUT,
                **self.options(address.endpoint),
            )
            self._known = known
        return self._client

    def _parsed(self, model: type[M], answer: httpx.Response) -> M:
        try:
            return model.model_validate_json(answer.content)
        except ValidationError as error:
            raise CloudError(
                f"{self.title}'s answer to {answer.request.url.path} is not understood: "
                f"{error.errors()[0]['msg']}",
                hint=self._why_not_understood,
                status_code=502,
            ) from error

    def _refusal(self, answer: httpx.Response) -> CloudError:
        try:
            said = answer.json()
        except ValueError:
            said = None
        said = said if isinstance(said, dict) else {}
        message = said.get("message") or said.get("error") or f"{self.title} answered {answer.status_code}"
        kind = _ERRORS.get(answer.status_code, CloudError)
        return kind(str(message), hint=str(said.get("hint") or ""), status_code=answer.status_code)


def stat_of(file: Path) -> Stat:
    """What shows that a file is another one; None when there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
