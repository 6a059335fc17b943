"""An embedded cloud whose instances run on the nodes of a Ray cluster."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import callers
import httpx
from callers import Record, calling
from raycluster import RayCluster
from realcloud import RealCloud, eventually

from bento_jupyter.client import embedded
from bento_jupyter.spec import DeploymentSpec, InstanceState
from bento_jupyter.views import DeploymentView

__all__ = ["SOURCE", "ClusteredCloud"]

#: What clients ask, and a look at the GPUs.
SOURCE = f"""{callers.SOURCE}
    @bentoml.api
    def gpus(self) -> str:
        return os.environ["CUDA_VISIBLE_DEVICES"]
"""
#: Seconds until what was lost has to be replaced.
REPLACED_WITHIN = 12.0


class ClusteredCloud(RealCloud):
    """A cloud with the engine `ray`.

    Args:
        folder: Everything is below it.
        cluster: Where its instances run.
    """

    def __init__(self, folder: Path, cluster: RayCluster) -> None:
        super().__init__(folder)
        self.cluster = cluster

    def start(self) -> None:
        """Start it."""
        options = ["--engine", "ray", "--ray-address", self.cluster.url]
        embedded.start(self.home, options=[*options, "--ray-token-env", "TESTED_RAY_TOKEN"])

    def deploy(self, name: str, **wishes: Any) -> None:
        """Create a deployment of `tested:v1`."""
        wire = DeploymentSpec(name=name, bento="tested:v1", **wishes).to_wire("Service")
        self._call("POST", "/api/v2/deployments", json=wire)

    def delete(self, name: str) -> None:
        """Delete a deployment, and wait until nothing of it is left anywhere."""
        self._call("DELETE", f"/api/v2/deployments/{name}")
        eventually(lambda: name not in {view.name for view in self.views()})

    def until(
        self, name: str, condition: Callable[[DeploymentView], bool], timeout: float = 120
    ) -> DeploymentView:
        """A deployment, once it is so."""
        last: list[DeploymentView] = []

        def look() -> DeploymentView | None:
            last[:] = [self.view(name)]
            return last[0] if condition(last[0]) else None

        try:
            found = eventually(look, timeout)
        except AssertionError as error:
            raise AssertionError(last) from error
        assert found is not None
        return found

    def until_ready(self, name: str, count: int) -> DeploymentView:
        """A deployment, once it has so many instances, all ready."""
        return self.until(name, lambda view: view.ready == count == len(view.instances))

    def replaced(self, name: str, before: DeploymentView) -> bool:
        """Whether there are as many ready instances as before, one of them a new one."""
        ready = {each.id for each in self.view(name).instances if each.state is InstanceState.READY}
        return len(ready) == before.ready and ready != {each.id for each in before.instances}

    async def lose_one(self, name: str, happens: Callable[[], object]) -> tuple[Record, float]:
        """What clients are answered while something happens, and seconds until an instance is replaced."""
        before = await asyncio.to_thread(self.until_ready, name, 2)
        async with calling(before.url or "", clients=6, seconds=0.02) as record:
            await more_answers(record)
            await asyncio.to_thread(happens)
            begun = time.monotonic()
            await asyncio.to_thread(eventually, lambda: self.replaced(name, before), 120)
            seconds = time.monotonic() - begun
            await more_answers(record)
        return record, seconds

    def _call(self, method: str, path: str, **more: Any) -> httpx.Response:
        state = self.state
        answer = httpx.request(
            method,
            state.endpoint + path,
            headers={"X-YATAI-API-TOKEN": state.token},
            timeout=60,
            trust_env=False,
            **more,
        )
        return answer.raise_for_status()


async def more_answers(record: Record, count: int = 50) -> None:
    """Wait until clients got some more answers."""
    wanted = len(record.answers) + count
    await asyncio.to_thread(eventually, lambda: len(record.answers) >= wanted)
