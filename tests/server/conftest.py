"""A Jupyter server with our extension, and a real cloud behind it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

# pytest-jupyter's fixtures and its way to run coroutines are for this folder only; as a plugin they
# would close every other test's event loop.
from pytest_jupyter.jupyter_server import *  # noqa: F403
from realcloud import RealCloud


@pytest.fixture(scope="package")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealCloud]:
    """A running cloud with the deployment `hello`; tests leave it as they found it."""
    cloud = RealCloud(tmp_path_factory.mktemp("shared"))
    cloud.start()
    try:
        cloud.push_echo()
        cloud.create("hello")
        cloud.wait("hello", "running")
        yield cloud
    finally:
        cloud.stop()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[RealCloud]:
    """A cloud of the test's own, not started yet."""
    cloud = RealCloud(tmp_path / "own")
    yield cloud
    cloud.stop()


@pytest.fixture
def jp_server_config(cloud: RealCloud, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """The extension on, with the store of the cloud's user; every handler without authentication an error."""
    monkeypatch.setenv("BENTOML_HOME", cloud.environment["BENTOML_HOME"])
    return {
        "ServerApp": {
            "jpserver_extensions": {"bento_jupyter": True},
            "allow_unauthenticated_access": False,
        },
        "BentoJupyterApp": {"home_folder": str(cloud.home.root)},
    }
