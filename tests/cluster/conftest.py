"""A real cloud with the engine `ray` on this machine, whose nodes are others; see `machines`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from built_bento import build_bento
from clustered_cloud import SOURCE, ClusteredCloud
from machines import Network, missing
from ray_cluster import RAY
from raycluster import TOKEN, RayCluster

from bento_jupyter.environments import prepare
from bento_jupyter.errors import EnvironmentBuildError
from bento_jupyter.home import Home


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayCluster]:
    """A head and two nodes; the second one pretends to have two GPUs."""
    if reason := missing():
        pytest.skip(reason)
    home = Home(tmp_path_factory.mktemp("ray"))
    home.create()
    try:
        python = prepare(home, RAY + "\n").python
    except EnvironmentBuildError as error:
        pytest.skip(f"there is no Ray for this Python here: {error.message}")
    with Network(tmp_path_factory.mktemp("machines")) as network:
        yield RayCluster(network, 2, python)


@pytest.fixture(scope="session")
def bento(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with a Bento store that has `tested:v1`."""
    folder = tmp_path_factory.mktemp("cloud")
    build_bento(folder, SOURCE)
    return folder


@pytest.fixture(scope="session")
def cloud(cluster: RayCluster, bento: Path) -> Iterator[ClusteredCloud]:
    """A cloud with that Bento."""
    os.environ["TESTED_RAY_TOKEN"] = TOKEN
    cloud = ClusteredCloud(bento, cluster)
    cloud.start()
    try:
        cloud.bentoml("push", "tested:v1")
        yield cloud
    finally:
        cloud.stop()
        del os.environ["TESTED_RAY_TOKEN"]
