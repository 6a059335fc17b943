"""What can be done: each handler one call of the cloud. The answer is how it is then."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from ..insight import GarbageView
from ..views import DeploymentView
from .configuration import change
from .handlers import BentoHandler, deployment_name
from .payloads import Change, Done, Rollback

__all__ = [
    "CloudStartHandler",
    "CloudStopHandler",
    "DeploymentActionHandler",
    "DeploymentChangeHandler",
    "GarbageCollectionHandler",
    "PackageDeletionHandler",
    "RollbackHandler",
    "TerminationHandler",
]


class DeploymentActionHandler(BentoHandler):
    """`POST deployments/{name}/{start|restart}`."""

    @authenticated
    @authorized
    async def post(self, name: str, action: str) -> None:
        """Start a terminated one again, or replace all instances."""
        path = f"/deployments/{deployment_name(name)}/{action}"
        self.reply(await self.link.send(DeploymentView, "POST", path))


class TerminationHandler(BentoHandler):
    """`POST deployments/{name}/terminate`."""

    @authenticated
    @authorized
    async def post(self, name: str) -> None:
        """Its instances stop; it can be started again."""
        await self.link.request("POST", f"/api/v2/deployments/{deployment_name(name)}/terminate")
        self.reply(await self.link.deployment(name))


class RollbackHandler(BentoHandler):
    """`POST deployments/{name}/rollback` with a `Rollback`."""

    @authenticated
    @authorized
    async def post(self, name: str) -> None:
        """A new revision that asks for what an earlier one asked for."""
        path = f"/deployments/{deployment_name(name)}/rollback"
        self.reply(await self.link.send(DeploymentView, "POST", path, self.body(Rollback).model_dump()))


class DeploymentChangeHandler(BentoHandler):
    """`PATCH` with a `Change`, and `DELETE`, of `deployments/{name}`."""

    @authenticated
    @authorized
    async def patch(self, name: str) -> None:
        """Scale it, switch its mode, give it another Bento."""
        self.reply(await change(self.link, deployment_name(name), self.body(Change)))

    @authenticated
    @authorized
    async def delete(self, name: str) -> None:
        """Delete it for good, with its revisions, logs and address."""
        await self.link.request("DELETE", f"/api/v2/deployments/{deployment_name(name)}")
        self.reply(Done())


class PackageDeletionHandler(BentoHandler):
    """`DELETE {bentos|models}/{name}/{version}`."""

    @authenticated
    @authorized
    async def delete(self, kind: str, name: str, version: str) -> None:
        """Delete a Bento or a model of the registry; refused while something needs it."""
        self.reply(await self.link.send(Done, "DELETE", f"/{kind}/{name}/{version}"))


class GarbageCollectionHandler(BentoHandler):
    """`DELETE garbage`."""

    @authenticated
    @authorized
    async def delete(self) -> None:
        """Delete what nobody needs; the answer says what went."""
        self.reply(await self.link.send(GarbageView, "DELETE", "/garbage"))


class CloudStartHandler(BentoHandler):
    """`POST cloud/start`."""

    @authenticated
    @authorized
    async def post(self) -> None:
        """Start the cloud and wait until it answers; the answer is the overview."""
        await self.link.start_cloud()
        self.reply(await self.link.overview())


class CloudStopHandler(BentoHandler):
    """`POST cloud/stop`."""

    @authenticated
    @authorized
    async def post(self) -> None:
        """Stop the cloud with everything it runs; the answer is the overview."""
        await self.link.stop_cloud()
        self.reply(await self.link.overview())
