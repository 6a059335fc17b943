"""Instances in containers pass the contract of engines; and what is particular about them."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from pathlib import Path

import boxes
import pytest
from built_bento import build_bento
from contract import SOURCE, EngineContract, MakeSpec
from test_processes import DEVICES

from bento_jupyter.cloud.builders import Builders
from bento_jupyter.cloud.engines import Engine, ProcessEngine
from bento_jupyter.cloud.oci import OciImage, containerize, oci_key
from bento_jupyter.home import Home

#: Without the build tools that each image of BentoML gets otherwise, which cost minutes.
LEAN = SOURCE.replace(
    "@bentoml.service\nclass Service",
    f'IMAGE = bentoml.images.Image(base_image="{boxes.BASE}", distro="", lock_python_packages=False)\n\n'
    "@bentoml.service(image=IMAGE)\nclass Service",
)


@pytest.fixture(scope="module")
def bento(tmp_path_factory: pytest.TempPathFactory, podman: None) -> Path:
    return build_bento(tmp_path_factory.mktemp("bento"), LEAN, name="boxed")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The home of the cloud that has the image."""
    home = Home(tmp_path_factory.mktemp("home"))
    home.create()
    return home


@pytest.fixture(scope="module")
def image(bento: Path, made: Home) -> OciImage:
    lines: list[str] = []
    return containerize(
        made,
        bento,
        oci_key(bento),
        Builders("podman").find(),
        log=lines.append,
        cancelled=threading.Event(),
        secrets={},
    )


@pytest.mark.cluster
class TestContainers(EngineContract):
    @pytest.fixture
    def make_engine(self, made: Home) -> Callable[[], Engine]:
        return lambda: ProcessEngine(made, gpus=DEVICES)

    @pytest.fixture
    def python(self) -> Path:
        return Path("python")

    @pytest.fixture
    def spec(self, bento: Path, python: Path, image: OciImage, request: pytest.FixtureRequest) -> MakeSpec:
        make = EngineContract.spec.__wrapped__(self, bento, python)  # type: ignore[attr-defined]
        return lambda **changes: dataclasses.replace(make(**changes), image=image)
