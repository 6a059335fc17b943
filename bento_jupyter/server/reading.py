"""What is read of the cloud: declared once, and passed on."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from jupyter_server.auth.decorator import authorized
from pydantic import BaseModel
from tornado.web import authenticated

from ..errors import CloudError, NotLoggedInError
from ..insight import GarbageView, MetricsView
from ..views import DeploymentView
from .configuration import configuration_of
from .contexts import context_states, contexts
from .handlers import BentoHandler, deployment_name
from .interface import interface_of
from .local import merged
from .payloads import (
    Bentos,
    Events,
    Images,
    Instances,
    InstanceTypes,
    LogTail,
    Overview,
    Packages,
    Revisions,
    SecretNames,
)
from .traffic import traffic_of

__all__ = [
    "LOG_QUERY",
    "READINGS",
    "BentosHandler",
    "ChangesHandler",
    "ConfigurationHandler",
    "ContextStatesHandler",
    "ContextsHandler",
    "InterfaceHandler",
    "OverviewHandler",
    "Reading",
    "ReadingHandler",
    "TrafficHandler",
]

#: What can be asked of a log.
LOG_QUERY = ("lines", "source", "q", "regex", "since")


@dataclass(frozen=True)
class Reading:
    """Something that the cloud tells, and the sidebar may ask as it is.

    Attributes:
        path: Path below our own base and below `/api/bj/v1` alike; `{name}`: a deployment, `{key}`: an image.
        answer: What comes.
        query: Names of the query's arguments that are passed on; the cloud checks them.
    """

    path: str
    answer: type[BaseModel]
    query: tuple[str, ...] = ()


READINGS = (
    Reading("deployments/{name}", DeploymentView),
    Reading("deployments/{name}/instances", Instances),
    Reading("deployments/{name}/logs", LogTail, LOG_QUERY),
    Reading("deployments/{name}/metrics", MetricsView, ("step",)),
    Reading("deployments/{name}/events", Events, ("count",)),
    Reading("deployments/{name}/revisions", Revisions),
    Reading("images", Images),
    Reading("images/{key}/log", LogTail, ("lines",)),
    Reading("models", Packages),
    Reading("garbage", GarbageView),
    Reading("instance_types", InstanceTypes),
    Reading("secrets", SecretNames),
)


class ReadingHandler(BentoHandler):
    """`GET` of one of the `READINGS`."""

    def initialize(self, reading: Reading) -> None:
        """Called by tornado with what the route says."""
        super().initialize()
        self.reading = reading

    @authenticated
    @authorized
    async def get(self, name: str = "", key: str = "") -> None:
        """Pass the question on, and the answer back."""
        path = self.reading.path.format(name=name and deployment_name(name), key=key)
        query = {
            word: self.get_query_argument(word)
            for word in self.reading.query
            if self.get_query_argument(word, "") != ""
        }
        self.reply(await self.link.get(self.reading.answer, f"/{path}", query))


class OverviewHandler(BentoHandler):
    """`GET overview`: the cloud and its deployments."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """Everything the list shows; also begins to watch the cloud."""
        try:
            link = self.link
        except NotLoggedInError as error:
            context = self.get_query_argument("cloud", "")
            self.reply(Overview(context=context, state="refused", message=error.message))
            return
        self.bento.watch(link.context)
        self.reply(await link.overview())


class ChangesHandler(BentoHandler):
    """`GET changes?names=a,b`: how these deployments are now."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """For those that a hint has named."""
        self.reply(await self.link.changes(self.names()))


class TrafficHandler(BentoHandler):
    """`GET traffic?names=a,b`: how much these deployments were asked lately."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """For the deployments on the screen; those that are no more are left out."""
        self.reply(await traffic_of(self.link, self.names()))


class ConfigurationHandler(BentoHandler):
    """`GET deployments/{name}/configuration`: what it was asked to be, as YAML and as a magic."""

    @authenticated
    @authorized
    async def get(self, name: str) -> None:
        """To take elsewhere."""
        self.reply(await configuration_of(self.link, deployment_name(name)))


class InterfaceHandler(BentoHandler):
    """`GET deployments/{name}/interface`: what it can be asked."""

    @authenticated
    @authorized
    async def get(self, name: str) -> None:
        """For the playground; wakes no instance."""
        self.reply(await interface_of(self.link, deployment_name(name)))


class ContextsHandler(BentoHandler):
    """`GET contexts`: the clouds that the `bentoml` client is logged in to."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """Their names and addresses."""
        self.reply(contexts(self.bento.home))


class ContextStatesHandler(BentoHandler):
    """`GET contexts/states`: whether those clouds answer and take their tokens."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """Asks each of them."""
        self.reply(await context_states(self.bento.home))


class BentosHandler(BentoHandler):
    """`GET bentos`: those of the cloud's registry and of the local store."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """Each once; while the cloud does not tell, those of the local store, which is no less there."""
        try:
            registered = (await self.link.get(Packages, "/bentos")).items
        except CloudError:
            registered = []
        self.reply(Bentos(items=await asyncio.to_thread(merged, self.bento.home, registered)))
