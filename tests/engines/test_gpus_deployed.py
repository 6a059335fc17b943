"""GPUs from a deployment's side: what it waits for, and that it goes on when they are free."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from built_bento import build_bento
from contract import SOURCE
from test_controller import Cloud, eventually

from bento_jupyter.cloud.controller import Controller
from bento_jupyter.cloud.engines import ProcessEngine
from bento_jupyter.cloud.engines.gpus import Gpu
from bento_jupyter.home import Home
from bento_jupyter.spec import Status


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.create()
    home.instance_types.write_text(json.dumps([{"name": "gpu.1", "cpu": 1, "memory": "1Gi", "gpu": 1}]))
    return home


def test_a_deployment_says_that_it_waits_for_a_gpu_and_gets_it_when_another_goes(
    home: Home, tmp_path: Path
) -> None:
    async def scenario() -> None:
        cloud = Cloud(home, build_bento(tmp_path, SOURCE))
        engine = ProcessEngine(home, gpus=[Gpu("GPU-only", "Pretended")])
        cloud.controller = Controller(cloud.settings, cloud.store, engine)
        await cloud.controller.start()
        try:
            cloud.create("first", instance_type="gpu.1")
            await cloud.until_status("first", Status.RUNNING)
            cloud.create("second", instance_type="gpu.1")

            async def waits() -> bool:
                view = cloud.controller.view("second")
                return "it waits for a GPU" in view.reason and view.status is Status.DEPLOYING

            await eventually(waits, lambda: str(cloud.controller.view("second")))
            [instance] = cloud.controller.view("second").instances
            assert "other instances have them" in instance.reason
            assert instance.pid is None
            cloud.store.deployments.delete("first")
            cloud.controller.changed("first")
            view = await cloud.until_status("second", Status.RUNNING)
            assert view.reason == ""
            assert [each.gpus for each in engine.observe()] == [("GPU-only",)]
        finally:
            await cloud.controller.stop()
            await cloud.http.aclose()
            cloud.store.close()

    asyncio.run(scenario())
