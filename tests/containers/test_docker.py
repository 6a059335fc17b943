"""docker as the builder: its own command line, before podman's socket, which speaks docker's API."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import boxes
import pytest
from boxedcloud import BoxedCloud
from built_bento import build_bento
from realcloud import eventually
from registry import Registry
from test_deployed import SOURCE

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def registry(podman: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry that lets nobody in without a password."""
    with Registry(tmp_path_factory.mktemp("registry")) as registry:
        yield registry


@pytest.fixture(scope="module")
def docker(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """`docker` works; gives the folder of its login file."""
    if shutil.which("docker") is None:
        pytest.skip("not found: docker")
    folder = tmp_path_factory.mktemp("docker")
    socket = folder / "podman.sock"
    envs = {**os.environ, **boxes.as_docker(folder, registry.address)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", f"unix://{socket}")
        patch.setenv("DOCKER_CONFIG", str(folder))
        patch.setenv("DOCKER_BUILDKIT", "0")  # podman's socket has no BuildKit
        patch.setenv("BENTO_JUPYTER_BUILDER", "docker")
        service = subprocess.Popen(["podman", "system", "service", "--time=0", f"unix://{socket}"], env=envs)
        try:
            eventually(socket.exists)
            yield folder
        finally:
            service.terminate()
            service.wait()


def test_docker_builds_runs_and_pushes_an_image(docker: Path, registry: Registry, tmp_path: Path) -> None:
    build_bento(tmp_path, SOURCE, service="service.py:Boxed", name="docked")
    cloud = BoxedCloud(tmp_path)
    cloud.start()
    try:
        cloud.run("deploy", "docked:v1", "--name", "docked", "--image", "oci")
        assert cloud.call("docked", "predict", number=21) == 42
        image = cloud.view("docked").image
        assert image is not None
        assert image.builder == "docker"
        assert len(cloud.containers()) == 1
        destination = f"{registry.address}/tests/docked:v1"
        refused = cloud.run("image", "docked", "--push", destination, fails=True)
        assert f"docker login {registry.address}" in refused
        registry.log_in_docker(docker)
        assert destination in cloud.run("image", "docked", "--push", destination)
        cloud.run("delete", "docked", "--yes")
        eventually(lambda: not cloud.containers())
        assert image.reference in cloud.run("cloud", "gc")
        assert image.digest not in boxes.ask("podman", "images", "--no-trunc")
    finally:
        cloud.stop()
