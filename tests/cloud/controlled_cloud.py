"""A controller on real parts (a store, environments, replicas and the gateway) in this process, for tests."""

from __future__ import annotations

import asyncio
import contextlib
import tarfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx

from bento_jupyter.cloud.controller import Controller
from bento_jupyter.cloud.engines import Engine
from bento_jupyter.cloud.ports import free_deployment_port
from bento_jupyter.cloud.settings import CloudSettings
from bento_jupyter.cloud.store import Store
from bento_jupyter.home import Home
from bento_jupyter.spec import InstanceState, Status
from bento_jupyter.views import DeploymentView

T = TypeVar("T")

DEADLINE = 90.0
IDLE_SECONDS = 1.0


class Cloud:
    """A controller and its store."""

    def __init__(
        self, home: Home, bento: Path, idle_seconds: float = IDLE_SECONDS, engine: Engine | None = None
    ) -> None:
        # Whatever is installed here: images of containers have tests of their own.
        self.settings = CloudSettings(home=home, idle_seconds=idle_seconds, builder="none")
        self.store = Store.open(home)
        self.controller = Controller(self.settings, self.store, engine)
        self.http = httpx.AsyncClient(timeout=60, trust_env=False)
        if self.store.bentos.get("tested", "v1") is None:
            self.push(bento)

    def push(self, bento: Path, version: str = "v1", traffic: object = None) -> None:
        """Push the Bento of this folder, or push it anew, as `tested:<version>`."""
        self.store.bentos.create_repository("tested")
        config = {"traffic": traffic or {"timeout": 20}}
        manifest = {"entry_service": "Service", "services": [{"name": "Service", "config": config}]}
        if self.store.bentos.get("tested", version) is None:
            self.store.bentos.create("tested", version, manifest=manifest)
        else:
            self.store.bentos.stage("tested", version, {"manifest": manifest})
        with self.store.bentos.receive() as upload:
            archive = upload.path.with_suffix(".made")
            with tarfile.open(archive, "w") as tar:
                tar.add(bento, arcname=".")
            upload.write(archive.read_bytes())
            archive.unlink()
            self.store.bentos.store_content("tested", version, upload)

    def wish(self, *, least: int = 1, most: int = 1, envs: dict[str, str] | None = None, **more: Any) -> Any:
        service = {"scaling": {"min_replicas": least, "max_replicas": most}, **more}
        return {
            "access_authorization": False,
            "envs": [{"name": name, "value": value} for name, value in (envs or {}).items()],
            "labels": [],
            "secrets": [],
            "services": {"Service": service},
            "canary": None,
        }

    def create(self, name: str, version: str = "v1", port: int = 0, **wish: Any) -> DeploymentView:
        taken = [record.port for record in self.store.deployments.all()]
        port = port or free_deployment_port(self.settings, taken)
        self.store.deployments.create(
            name=name, bento=f"tested:{version}", config=self.wish(**wish), port=port, creator="tests"
        )
        self.controller.changed(name)
        return self.controller.view(name)

    def update(self, name: str, **wish: Any) -> DeploymentView:
        self.store.deployments.update(name, bento="tested:v1", config=self.wish(**wish))
        self.controller.changed(name)
        return self.controller.view(name)

    async def until(self, name: str, condition: Callable[[DeploymentView], bool]) -> DeploymentView:
        async def view() -> DeploymentView | None:
            view = self.controller.view(name)
            return view if condition(view) else None

        return await eventually(view, lambda: self.controller.view(name))

    async def until_status(self, name: str, status: Status) -> DeploymentView:
        return await self.until(name, lambda view: view.status is status)

    async def call(self, name: str, path: str = "/who", **body: Any) -> httpx.Response:
        return await self.http.post(f"{self.controller.view(name).url}{path}", json=body)


async def eventually(look: Callable[[], Awaitable[T | None]], what: Callable[[], object]) -> T:
    """The first true value of `look`, which is tried again until the deadline."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + DEADLINE
    while not (value := await look()):
        assert loop.time() < deadline, what()
        await asyncio.sleep(0.02)
    return value


@contextlib.asynccontextmanager
async def cloud_of(home: Home, bento: Path, idle_seconds: float = IDLE_SECONDS) -> AsyncIterator[Cloud]:
    """A cloud that has started; it is stopped at the end."""
    cloud = Cloud(home, bento, idle_seconds)
    try:
        await cloud.controller.start()
        try:
            yield cloud
        finally:
            await cloud.controller.stop()
    finally:
        await cloud.http.aclose()
        cloud.store.close()


def pids(view: DeploymentView) -> list[int]:
    """Process ids of the instances that are ready."""
    return [each.pid for each in view.instances if each.pid and each.state is InstanceState.READY]
