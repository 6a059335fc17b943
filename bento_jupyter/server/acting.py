"""What can be done: each handler one call of the cloud. The answer is how it is then."""

from __future__ import annotations

import os

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from ..errors import BentoJupyterError
from ..insight import GarbageView
from ..views import DeploymentView
from .configuration import change
from .deploying import deploy, form_of, plan_of, refusal_of
from .handlers import BentoHandler, deployment_name, status_of
from .payloads import Change, Done, Rollback, Wanted

__all__ = [
    "CloudStartHandler",
    "CloudStopHandler",
    "DeployHandler",
    "DeploymentActionHandler",
    "DeploymentChangeHandler",
    "FormHandler",
    "GarbageCollectionHandler",
    "PackageDeletionHandler",
    "PlanHandler",
    "RollbackHandler",
    "TerminationHandler",
]


class FormHandler(BentoHandler):
    """`GET form?name=&bento=`: the Deploy dialog as it opens."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """Of a new deployment, or of the one that is named."""
        name = self.get_query_argument("name", "")
        bento = self.get_query_argument("bento", "")
        self.reply(await form_of(self.link, name and deployment_name(name), bento))


class PlanHandler(BentoHandler):
    """`POST plan` with a `Wanted`: what a deploy would do; nothing is changed."""

    _track_activity = False

    @authenticated
    @authorized
    async def post(self) -> None:
        """The line of the magic, what would be different, what is wrong."""
        self.reply(await plan_of(self.link, self.body(Wanted)))


class DeployHandler(BentoHandler):
    """`POST deploy` with a `Wanted`."""

    @authenticated
    @authorized
    async def post(self) -> None:
        """Create or update; a refusal says which fields it is about."""
        try:
            answer = await deploy(self.link, self._owned(self.body(Wanted)))
        except BentoJupyterError as error:
            self.set_status(status_of(error))
            self.reply(refusal_of(error))
        else:
            self.reply(answer)

    def _owned(self, wanted: Wanted) -> Wanted:
        """Say whose it is by the path that its kernel goes by, which is the file's."""
        root = self.settings.get("server_root_dir")
        if not (wanted.owner and root):
            return wanted
        owner = os.path.join(os.path.expanduser(root), wanted.owner)
        return wanted.model_copy(update={"owner": owner})


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
        link = self.bento.link()
        await link.start_cloud()
        self.reply(await link.overview())


class CloudStopHandler(BentoHandler):
    """`POST cloud/stop`."""

    @authenticated
    @authorized
    async def post(self) -> None:
        """Stop the cloud with everything it runs; the answer is the overview."""
        link = self.bento.link()
        await link.stop_cloud()
        self.reply(await link.overview())
