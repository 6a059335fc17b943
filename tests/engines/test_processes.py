"""The engine `processes` passes the contract; and what only it does."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from built_bento import build_bento
from contract import SOURCE, EngineContract, MakeSpec, Play, opened, until

from bento_jupyter.cloud.engines import Engine, ProcessEngine
from bento_jupyter.cloud.engines.gpus import Gpu
from bento_jupyter.home import Home
from bento_jupyter.zygote import can_fork

DEVICES = [Gpu("GPU-aaaa", "Pretended"), Gpu("GPU-bbbb", "Pretended"), Gpu("GPU-cccc", "Pretended")]


@pytest.fixture(scope="module")
def bento(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_bento(tmp_path_factory.mktemp("bento"), SOURCE)


@pytest.fixture
def python() -> Path:
    return Path(sys.executable)


class TestNewInterpreters(EngineContract):
    """Instances that are started anew, as on macOS."""

    @pytest.fixture
    def make_engine(self, tmp_path: Path) -> Callable[[], Engine]:
        home = Home(tmp_path / "home")
        home.create()
        return lambda: ProcessEngine(home, zygotes=False, gpus=DEVICES)


@pytest.mark.skipif(not can_fork(), reason="zygotes are for Linux")
class TestForks(EngineContract):
    """Instances that a zygote forks: those without variables of their own."""

    @pytest.fixture
    def make_engine(self, tmp_path: Path) -> Callable[[], Engine]:
        home = Home(tmp_path / "home")
        home.create()
        return lambda: ProcessEngine(home, gpus=DEVICES)

    @pytest.fixture
    def play(self, make_engine: Callable[[], Engine], spec: MakeSpec) -> Play:
        def run(scenario: Callable[[Engine], Awaitable[None]]) -> None:
            async def whole() -> None:
                async with opened(make_engine()) as engine:
                    engine.prepare("tests", spec())
                    await until(lambda: bool(engine.prepared()), "no zygote gets warm")
                    await scenario(engine)
                    [zygote] = engine.prepared()
                    assert zygote.modules > 0

            asyncio.run(whole())

        return run
