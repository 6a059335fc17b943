"""A cloud that `bentoml` is logged in to: an embedded one elsewhere, or BentoCloud, which tells less.

BentoCloud has no call for reasons, instances, logs, metrics, events and revisions, nor a change feed: what it
does tell is read from its own API here, and what it does not is said to be so.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from pydantic import BaseModel, RootModel, ValidationError

from ..client.wire import read_bytes, read_cpus, read_view
from ..errors import CloudError, CloudUnreachableError, NotFoundError, NotLoggedInError
from ..home import Home
from ..insight import PackageView
from ..views import CloudView, DeploymentView, InstanceType
from .contexts import address_of, context_file
from .link import OURS, Address, CloudLink, Stat, stat_of
from .payloads import Images, InstanceTypes, Overview, Packages, SecretNames

__all__ = ["OtherLink"]

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")

#: Items of a list that are asked for at a time.
_PAGE: Final = 100
#: Deployments that are asked for at once.
_AT_ONCE: Final = 8
#: Seconds after which it is asked again whether it has our additions: what came may have been odd.
_ASKED_AGAIN_AFTER: Final = 60.0


class _Page(BaseModel, Generic[T]):
    items: list[T]
    total: int = 0


class _Document(RootModel[dict[str, Any]]):
    """A deployment as BentoCloud's wire says it."""


class _Named(BaseModel):
    name: str


class _Sized(BaseModel):
    size_bytes: int | None = None


class _Package(BaseModel):
    """A Bento or a model of the registry."""

    repository: _Named
    version: str
    upload_status: str | None = None
    manifest: _Sized | None = None
    created_at: datetime


class _Asked(BaseModel):
    cpu: str | None = None
    memory: str | None = None
    gpu: str | int | None = None


class _Resources(BaseModel):
    requests: _Asked | None = None


class _Size(BaseModel):
    resources: _Resources | None = None
    price: str | float | None = None


class _Type(_Named):
    """A size of instance."""

    description: str | None = None
    config: _Size | None = None

    def view(self) -> InstanceType:
        """How it is shown."""
        config = self.config or _Size()
        asked = (config.resources and config.resources.requests) or _Asked()
        return InstanceType(
            name=self.name,
            description=self.description or "",
            cpu=read_cpus(asked.cpu),
            memory_bytes=read_bytes(asked.memory),
            gpu=int(asked.gpu or 0),
            price=str(config.price or ""),
        )


class _Types(RootModel[list[_Type]]):
    """The sizes of instances that there are."""


class OtherLink(CloudLink):
    """Talks to the cloud of a context, with the token that is kept for it and goes nowhere else.

    Args:
        home: Home of the embedded cloud of this machine.
        context: Name of the context.
    """

    def __init__(self, home: Home, context: str) -> None:
        super().__init__(home)
        self.name = self.context = self.title = context
        self._tells: tuple[Address, bool, float] | None = None
        #: By name and uid: as of which status it was asked for, and where it was then.
        self._urls: dict[tuple[str, str], tuple[str, str | None]] = {}
        self._gate = asyncio.Semaphore(_AT_ONCE)

    async def get(self, model: type[M], path: str, query: Mapping[str, str] | None = None) -> M:
        """Read something, as `CloudLink.get`; of BentoCloud what it tells."""
        if await self._tells_all():
            return await super().get(model, path, query)
        kind, _, name = path.strip("/").partition("/")
        if kind == "deployments" and name and "/" not in name:
            found: BaseModel = await self._view(name)
        elif path in _LISTS:
            found = await _LISTS[path](self, path)
        else:
            raise self._silent(f"the {path.rpartition('/')[2]} of a deployment")
        return model.model_validate(found.model_dump())

    async def send(self, model: type[M], method: str, path: str, body: Any = None) -> M:
        """Ask for something to be done, as `CloudLink.send`; of BentoCloud what it has a call for."""
        if await self._tells_all():
            return await super().send(model, method, path, body)
        kind, _, rest = path.strip("/").partition("/")
        name, _, action = rest.partition("/")
        if kind != "deployments" or action not in ("start", "restart"):
            raise CloudError(
                f"{self.name} cannot be asked for that from here",
                hint="its own console may do it",
                status_code=502,
            )
        await self.request("PUT", f"/api/v2/deployments/{name}/void_update")
        return model.model_validate((await self._view(name)).model_dump())

    @asynccontextmanager
    async def lines(
        self, path: str, query: Mapping[str, str] | None = None
    ) -> AsyncIterator[AsyncIterator[str]]:
        """A stream, as `CloudLink.lines`; BentoCloud has none."""
        if not await self._tells_all():
            raise self._silent(path.rpartition("/")[2])
        async with super().lines(path, query) as lines:
            yield lines

    def signature(self) -> tuple[Stat, ...]:
        """See `CloudLink.signature`: the address and the token are in the file of contexts."""
        return (stat_of(context_file()),)

    async def _look(self) -> Overview:
        if await self._tells_all():
            return await super()._look()
        listed = await self._list(dict, "/api/v2/deployments", all="true")
        views = await asyncio.gather(*map(self._listed_view, listed))
        there = {_identity(document) for document in listed}
        self._urls = {key: value for key, value in self._urls.items() if key in there}
        return Overview(context=self.context, state="running", deployments=list(views))

    def _may_live(self) -> bool:
        return True

    def address(self) -> Address:
        """Where it is now. Raises `NotLoggedInError`."""
        return address_of(self.context)

    @property
    def _where_to_look(self) -> str:
        return "is there a network, is the address right?"

    @property
    def _why_not_understood(self) -> str:
        return "is its address right?"

    async def _tells_all(self) -> bool:
        """Whether it has our additions to BentoCloud's API."""
        address, now = self.address(), time.monotonic()
        known = self._tells
        if known is None or known[0] != address or (not known[1] and now - known[2] > _ASKED_AGAIN_AFTER):
            known = self._tells = (address, await self._has_additions(), now)
        return known[1]

    async def _has_additions(self) -> bool:
        try:
            answer = await self.request("GET", f"{OURS}/cloud")
            CloudView.model_validate_json(answer.content)
        except (NotFoundError, ValidationError):  # or a page of its console, where there is nothing
            return False
        except NotLoggedInError:  # or refuse it, whatever the token
            await self.request("GET", "/api/v1/auth/current")
            return False
        return True

    def _silent(self, what: str) -> CloudError:
        return CloudError(
            f"{self.name} does not tell {what}", hint="its own console may show it", status_code=502
        )

    async def _view(self, name: str) -> DeploymentView:
        async with self._gate:
            answer = await self.request("GET", f"/api/v2/deployments/{name}")
        return self._read(self._parsed(_Document, answer).root)

    async def _listed_view(self, document: dict[str, Any]) -> DeploymentView:
        """One of the list, which does not say where they are: that is asked for once in each status."""
        key, status = _identity(document), str(document.get("status"))
        asked_in, url = self._urls.get(key, ("", None))
        if document.get("latest_revision") is not None and (url is not None or asked_in == status):
            return self._read(document).model_copy(update={"url": url})
        try:
            view = await self._view(key[0])
        except CloudUnreachableError:
            raise
        except CloudError:  # it has gone since, or cannot be read: the others are no less there
            return self._read(document)
        self._urls[key] = (status, view.url)
        return view

    def _read(self, document: dict[str, Any]) -> DeploymentView:
        try:
            try:
                view = read_view(document)
            except (KeyError, TypeError, ValueError):
                # Its settings are none that we know of; that it is there, and how it does, is to be seen.
                view = read_view({**document, "latest_revision": None, "manifest": None})
            # No number of a revision: that is how the browser knows what else is not told.
            return view.model_copy(update={"revision": 0})
        except (KeyError, TypeError, ValueError) as error:
            raise CloudError(f"what {self.name} says of a deployment is not understood: {error}") from error

    async def _list(self, kind: type[T], path: str, **query: str) -> list[T]:
        """All of a list that comes in pages."""
        items: list[T] = []
        while True:
            asked = {**query, "start": str(len(items)), "count": str(_PAGE)}
            page = self._parsed(_Page[kind], await self.request("GET", path, query=asked))  # type: ignore[valid-type]
            items += page.items
            if not page.items or len(items) >= page.total:
                return items

    async def _packages(self, path: str) -> Packages:
        return Packages(
            items=[
                PackageView(
                    tag=f"{item.repository.name}:{item.version}",
                    size_bytes=(item.manifest and item.manifest.size_bytes) or 0,
                    status=item.upload_status or "success",
                    created_at=item.created_at,
                )
                for item in await self._list(_Package, f"/api/v1{path}")
            ]
        )

    async def _instance_types(self, _: str) -> InstanceTypes:
        found = self._parsed(_Types, await self.request("GET", "/api/v1/instance_types"))
        return InstanceTypes(items=[item.view() for item in found.root])

    async def _secrets(self, _: str) -> SecretNames:
        found = await self._list(_Named, "/api/v1/org_secrets", all="true")
        return SecretNames(items=[item.name for item in found])

    async def _images(self, _: str) -> Images:
        return Images(images=[])  # it makes them, but has no list of them


def _identity(document: Mapping[str, Any]) -> tuple[str, str]:
    """Another deployment may come to have the same name."""
    return str(document.get("name")), str(document.get("uid"))


#: What BentoCloud has lists of, by our path.
_LISTS: Final[Mapping[str, Callable[[OtherLink, str], Awaitable[BaseModel]]]] = {
    "/bentos": OtherLink._packages,
    "/models": OtherLink._packages,
    "/instance_types": OtherLink._instance_types,
    "/secrets": OtherLink._secrets,
    "/images": OtherLink._images,
}
