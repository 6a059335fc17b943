"""The controller: from what is wanted (store) and what there is (engine, gateway) to starts and stops."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

from ..errors import BentoJupyterError
from ..insight import MetricsView
from ..views import DeploymentView, ImageView, LogLine
from .builders import Builders
from .dataplane import DataPlane
from .deployment import Deployment
from .engines import Engine, make_engine
from .engines.memory import memory_words
from .events import EventFeed
from .garbage import Garbage
from .images import Images, read_recipe
from .instance_types import instance_types
from .logs import LogFile, follow, forget_stray_logs, tail
from .logsearch import Filter, search
from .metrics import Totals
from .oci import OciImage
from .settings import CloudSettings
from .store import DeploymentRecord, Store
from .surroundings import Surroundings

__all__ = ["Controller"]

logger = logging.getLogger(__name__)

#: Seconds between two looks for garbage.
GARBAGE_INTERVAL = 3600.0
#: Seconds that deployments get to be reachable again before the cloud is there without them.
LISTEN_TIMEOUT = 5.0


class Controller:
    """Runs the deployments of a cloud. All its methods belong to the event loop's thread.

    Args:
        settings: The cloud's settings.
        store: What is wanted.
        engine: What runs instances; None = what the settings name.

    Raises:
        InvalidRequestError: The file with the instance types cannot be read.

    Attributes:
        engine: What runs instances; to be looked at, not to be told anything.
        events: The change feed.
        instance_types: The sizes that instances may have.
        images: The environments that Bentos run in.
        garbage: What finds and deletes what nobody needs.

    Example:
        >>> controller = Controller(settings, store)  # doctest: +SKIP
        >>> await controller.start()  # doctest: +SKIP
        >>> store.deployments.create(...); controller.changed("iris")  # doctest: +SKIP
    """

    def __init__(self, settings: CloudSettings, store: Store, engine: Engine | None = None) -> None:
        self.events = EventFeed(store)
        self._settings = settings
        self._store = store
        self.engine: Engine = engine or make_engine(settings)
        self.instance_types = instance_types(self.engine.capacity(), settings.home.instance_types)
        self.images = Images(settings.home, self._image_changed, Builders(settings.builder))
        self._data_plane = DataPlane(
            settings.home, settings.host, self._received, self._gateway_restarted, settings.tls_files
        )
        self._deployments: dict[str, Deployment] = {}
        #: Deleted ones whose name is taken already again, oldest first.
        self._ending: list[Deployment] = []
        self.garbage = Garbage(settings.home, store, settings.environments_limit)
        self._collector: asyncio.Task[None] | None = None
        self._started = False

    async def start(self) -> None:
        """Start the gateway, and bring back every deployment that was there."""
        await self.engine.open()
        await self._data_plane.open()
        self._started = True
        records = self._store.deployments.all()
        # A deployment that was deleted when the cloud was killed had no time to tidy up.
        forget_stray_logs(self.engine.logs(), {record.name for record in records})
        codespaces = [record.uid for record in records if record.dev]
        await asyncio.to_thread(self._store.codespaces.read, codespaces)
        for record in records:
            try:
                self._follow(record.name, record)
            except Exception:  # the others are brought back all the same
                logger.exception("deployment %s cannot be brought back", record.name)
        # Whoever is told that the cloud is there calls at once.
        heard = [asyncio.ensure_future(each.heard()) for each in self._deployments.values()]
        if heard:
            _, late = await asyncio.wait(heard, timeout=LISTEN_TIMEOUT)
            for each in late:
                each.cancel()
        # They stay: to look through thousands of them for garbage again and again would hold up everything.
        gc.freeze()
        self._collector = asyncio.create_task(self._collect_garbage(), name="garbage")
        self.events.publish("cloud", message="the cloud has started")

    async def stop(self) -> None:
        """Stop all instances, the gateway and the builds under way; what is wanted stays as it is."""
        self._started = False
        if self._collector is not None:
            self._collector.cancel()
        await asyncio.gather(*(each.close() for each in self._all()))
        self._deployments.clear()
        self._ending.clear()
        await self.images.close()
        await self._data_plane.close()
        await self.engine.close()

    def changed(self, name: str) -> None:
        """What is wanted of a deployment has changed in the store: it was created, changed or deleted."""
        if self._started:
            self._follow(name, self._store.deployments.get(name))

    def _follow(self, name: str, record: DeploymentRecord | None) -> None:
        before = self._deployments.get(name)
        if before is not None and (record is None or record.uid != before.record.uid):
            before.record_changed(None)
        elif before is not None:
            before.record_changed(record)
        if record is not None and (before is None or before.deleted):
            around = Surroundings(
                self._settings,
                self._store,
                self.engine,
                self.instance_types,
                self.images,
                self._data_plane,
                self.events,
            )
            self._deployments.pop(name, None)
            self._deployments[name] = Deployment(record, around, self._over, after=before)
            if before is not None:
                self._ending.append(before)

    def bento_pushed(self, tag: str) -> None:
        """A Bento was pushed, or pushed anew with other content: what runs it is rolled over to that."""
        self.events.publish("bento", tag, "was pushed")
        for deployment in list(self._deployments.values()):
            if tag in deployment.bentos:
                self.changed(deployment.name)

    def view(self, name: str) -> DeploymentView:
        """A deployment as it is now.

        Raises:
            KeyError: There is none of this name.
        """
        return self._require(name).view()

    def views(self) -> list[DeploymentView]:
        """All deployments as they are now, oldest first."""
        return self.some_views(0, None)[0]

    def some_views(self, start: int, count: int | None) -> tuple[list[DeploymentView], int]:
        """A part of all deployments as they are now, oldest first, and how many there are in all."""
        # They are noted as they are created.
        present = [each for each in self._deployments.values() if not each.deleted]
        part = present[start:] if count is None else present[start : start + count]
        return [each.view() for each in part], len(present)

    def instances_up(self) -> int:
        """How many instances are up in all."""
        return sum(each.instances_up for each in self._all())

    async def log_lines(self, name: str, lines: int = 100, source: str | None = None) -> list[LogLine]:
        """The last lines of a deployment's logs, oldest first.

        Args:
            name: The deployment.
            lines: How many.
            source: Only of this instance, or `image`; None = of all.

        Raises:
            KeyError: There is no such deployment.
        """
        files = self._log_files(self._require(name), source)
        return await asyncio.to_thread(tail, files, lines)

    async def follow_log(
        self, name: str, source: str | None = None, lines: int = 100
    ) -> AsyncIterator[LogLine]:
        """The last lines of a deployment's logs, then new ones as they are written; ends when it is deleted.

        Args:
            name: The deployment.
            source: Only of this instance, or `image`; None = of all.
            lines: How many of the last lines come first.

        Raises:
            KeyError: There is no such deployment.
        """
        deployment = self._require(name)

        def files() -> list[LogFile] | None:
            return None if deployment.deleted else self._log_files(deployment, source)

        async for line in follow(files, lines):
            yield line

    async def search_log(
        self, name: str, wanted: Filter, lines: int = 100, source: str | None = None
    ) -> list[LogLine]:
        """The last wanted lines of all that a deployment has written and that is kept, oldest first.

        Args:
            name: The deployment.
            wanted: Which lines.
            lines: How many.
            source: Only of this instance, or `image`; None = of all.

        Raises:
            KeyError: There is no such deployment.
        """
        files = self._log_files(self._require(name), source)
        return await asyncio.to_thread(search, files, wanted, lines)

    def metrics(self, name: str, step: int = 1) -> MetricsView:
        """What the requests and instances of a deployment were like.

        Args:
            name: The deployment.
            step: Seconds per point: 1 or 60.

        Raises:
            KeyError: There is no such deployment.
        """
        return self._require(name).metrics.view(step)

    def totals(self, name: str) -> Totals:
        """What was counted of a deployment.

        Raises:
            KeyError: There is no such deployment.
        """
        return self._require(name).metrics.totals()

    async def image_log(self, bento_tag: str, lines: int = 50) -> AsyncIterator[str]:
        """The log of the build of a Bento's image; ends with the build, or says why there is none.

        Args:
            bento_tag: The Bento.
            lines: How many of the last lines come first.
        """
        name, _, version = bento_tag.partition(":")
        try:
            bento = await asyncio.to_thread(self._store.bento_directory, name, version)
            recipe = await asyncio.to_thread(read_recipe, bento)
        except BentoJupyterError as error:
            yield error.message
            return
        file = LogFile(self.images.log_path(recipe.key), "image")

        def files() -> list[LogFile] | None:
            over = self.images.view(recipe.key).status in ("success", "failed")
            return None if over and file.after(place)[1] == place else [file]

        place = 0
        async for line in follow(files, lines):
            place = file.last(1)[1]
            yield line.text

    async def push_image(
        self, name: str, destination: str, say: Callable[[str, str], None], cancelled: threading.Event
    ) -> ImageView:
        """Send the OCI image of a deployment's Bento to a registry; it is built first where it is not there.

        Args:
            name: The deployment.
            destination: `REGISTRY/REPOSITORY:TAG`.
            say: Called with the stage (`image`, `push`) and what happens, in any thread.
            cancelled: Ends the push when set.

        Raises:
            BentoJupyterError: It cannot be built, was refused, or the registry was not reached.
        """
        record = self._require(name).record
        bento, _, version = record.bento.partition(":")
        folder = await asyncio.to_thread(self._store.bento_directory, bento, version)
        recipe = await asyncio.to_thread(partial(read_recipe, folder, oci=True))
        given = await asyncio.to_thread(self._store.secrets.resolve, record.config["secrets"], "build")
        say("image", f"its log: {self.images.log_path(recipe.key)}")
        image = await self.images.ensure(recipe, given)
        if not isinstance(image, OciImage):
            raise TypeError(f"{recipe.key} is no OCI image")
        say("image", f"{image.digest}, {memory_words(image.size_bytes)}")
        return await self.images.push(image, destination, partial(say, "push"), cancelled)

    async def _collect_garbage(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self.garbage.collect, within_limit=True)
            except Exception:
                logger.exception("collecting garbage failed")
            await asyncio.sleep(GARBAGE_INTERVAL)

    def _log_files(self, deployment: Deployment, source: str | None) -> list[LogFile]:
        return [file for file in deployment.log_files() if source in (None, "", file.source)]

    def _require(self, name: str) -> Deployment:
        deployment = self._deployments[name]
        if deployment.deleted:
            raise KeyError(name)
        return deployment

    def _received(self, message: dict[str, Any]) -> None:
        name = str(message.get("deployment"))
        # While a deleted deployment ends, its route is its own; the new one of that name waits.
        deployment = next((each for each in self._ending if each.name == name), self._deployments.get(name))
        if deployment is not None:
            deployment.received(message)

    def _gateway_restarted(self) -> None:
        for deployment in self._all():
            deployment.gateway_restarted()

    def _image_changed(self, key: str) -> None:
        for deployment in self._all():
            deployment.image_changed(key)

    def _all(self) -> list[Deployment]:
        return [*self._deployments.values(), *self._ending]

    def _over(self, deployment: Deployment) -> None:
        if deployment in self._ending:
            self._ending.remove(deployment)
        if self._deployments.get(deployment.name) is deployment:
            del self._deployments[deployment.name]
