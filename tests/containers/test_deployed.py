"""A Bento taken to containers as a user does it: deployed, called, pushed to a registry, deleted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import boxes
import httpx
import pytest
from boxedcloud import BoxedCloud
from built_bento import build_bento
from realcloud import eventually
from registry import Registry

pytestmark = pytest.mark.timeout(600)  # the first one makes a base image

#: It needs no container by itself; without the build tools that BentoML adds otherwise, which cost minutes.
SOURCE = f"""
import bentoml

IMAGE = bentoml.images.Image(base_image="{boxes.PLAIN_BASE}", distro="", lock_python_packages=False)

@bentoml.service(image=IMAGE)
class Boxed:
    @bentoml.api
    def predict(self, number: int) -> int:
        return 2 * number

    @bentoml.api
    def grab(self, mebibytes: int) -> int:
        self.kept = b"x" * (mebibytes << 20)
        return len(self.kept)
"""
#: What is left of its memory for the kernel to give is less than what the test asks for.
TYPES = [{"name": "small", "cpu": 1, "memory": "400Mi"}]


@pytest.fixture(scope="module")
def cloud(podman: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BoxedCloud]:
    """A cloud on which `boxed` runs, asked for as an OCI image."""
    folder = tmp_path_factory.mktemp("cloud")
    build_bento(folder, SOURCE, service="service.py:Boxed", name="boxed")
    cloud = BoxedCloud(folder)
    cloud.home.create()
    (cloud.home.root / "instance_types.json").write_text(json.dumps(TYPES))
    cloud.start()
    try:
        cloud.run("deploy", "boxed:v1", "--name", "boxed", "--image", "oci")
        yield cloud
    finally:
        cloud.stop()


@pytest.fixture(scope="module")
def registry(podman: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry that lets nobody in without a password."""
    with Registry(tmp_path_factory.mktemp("registry")) as registry:
        yield registry


def test_it_answers_from_a_container_and_tells_its_image(cloud: BoxedCloud) -> None:
    view = cloud.view("boxed")
    assert view.image is not None
    known = boxes.ask("podman", "image", "inspect", "--format", "{{.Id}} {{.Size}}", view.image.reference)
    assert f"{view.image.digest} {view.image.size_bytes}" == f"sha256:{known.strip()}"
    assert (view.image.kind, view.image.status, view.image.builder) == ("oci", "success", "podman")
    assert len(cloud.containers()) == 1
    assert cloud.call("boxed", "predict", number=21) == 42
    told = cloud.run("image", "boxed")
    assert view.image.digest in told
    assert "OCI image" in told
    assert view.image.reference in cloud.run("logs", "boxed", "--source", "image")


def test_more_memory_than_its_instance_type_has_ends_it_and_is_told(cloud: BoxedCloud) -> None:
    [limit] = cloud.inspected("{{.HostConfig.Memory}}")
    assert int(limit) == 400 * 2**20
    before = cloud.containers()
    with pytest.raises(httpx.HTTPStatusError):
        cloud.call("boxed", "grab", mebibytes=600)
    eventually(lambda: "out of memory" in cloud.happenings("boxed"))
    eventually(lambda: cloud.view("boxed").ready == 1 and set(cloud.containers()).isdisjoint(before))
    assert cloud.call("boxed", "predict", number=2) == 4


def test_it_is_pushed_with_the_users_own_login_and_pulled_as_the_same_image(
    cloud: BoxedCloud, registry: Registry
) -> None:
    destination = f"{registry.address}/tests/boxed:v1"
    refused = cloud.run("image", "boxed", "--push", destination, fails=True)
    assert f"podman could not push the image to {registry.address}" in refused
    assert f"podman login {registry.address}" in refused
    registry.log_in()
    image = cloud.view("boxed").image
    assert image is not None
    told = cloud.run("image", "boxed", "--push", destination)
    assert destination in told
    pulled = boxes.ask("podman", "pull", "--quiet", "--tls-verify=false", destination)
    assert f"sha256:{pulled.strip()}" == image.digest
    assert registry.PASSWORD not in cloud.run("logs", "boxed", "--source", "image")


def test_nothing_is_left_of_a_cloud_that_was_killed_and_its_next_run_has_the_image(cloud: BoxedCloud) -> None:
    cloud.kill()
    eventually(lambda: not cloud.containers())
    cloud.start()
    cloud.wait("boxed", "running")
    assert cloud.call("boxed", "predict", number=3) == 6
    log = cloud.run("logs", "boxed", "--source", "image", "--lines", "10000")
    assert log.count(": built as ") == 1


def test_an_image_that_somebody_deleted_is_built_anew(cloud: BoxedCloud) -> None:
    image = cloud.view("boxed").image
    assert image is not None
    boxes.ask("podman", "rmi", "--force", image.reference)
    assert not boxes.has_image(image.reference)
    with cloud.api as api:
        api.post("/api/bj/v1/deployments/boxed/restart").raise_for_status()
    eventually(lambda: boxes.has_image(image.reference) and cloud.view("boxed").ready == 1, timeout=300)
    assert cloud.call("boxed", "predict", number=4) == 8
    log = cloud.run("logs", "boxed", "--source", "image", "--lines", "10000")
    assert log.count(": built as ") == 2


def test_what_was_deleted_leaves_no_container_and_garbage_that_goes(cloud: BoxedCloud) -> None:
    image = cloud.view("boxed").image
    assert image is not None
    assert image.reference not in cloud.run("cloud", "gc", "--dry-run"), "a deployment has it"
    cloud.run("delete", "boxed", "--yes")
    eventually(lambda: not cloud.containers())
    [line] = [line for line in cloud.run("cloud", "gc", "--dry-run").splitlines() if image.reference in line]
    assert line.split()[0] == "image"
    assert "MiB" in line
    assert boxes.has_image(image.reference)
    assert image.reference in cloud.run("cloud", "gc")
    assert not boxes.has_image(image.reference)
    assert image.reference not in cloud.run("cloud", "gc", "--dry-run")


#: What Bentos ask for besides Python packages, and what their instances then find.
WISHES = {
    "system packages": ("IMAGE.system_packages('bc')", {}, "echo '6 * 7' | bc", "42"),
    "a command": ("IMAGE.run('echo told > /etc/told')", {}, "cat /etc/told", "told"),
    "a setup script": ("", {"docker": {"setup_script": "./setup.sh"}}, "cat /etc/scripted", "scripted"),
}
WISHING = """
import subprocess
import bentoml

IMAGE = bentoml.images.Image(lock_python_packages=False)
{wish}

@bentoml.service(image=IMAGE)
class Boxed:
    @bentoml.api
    def shell(self, command: str) -> str:
        return subprocess.check_output(["sh", "-c", command], text=True).strip()
"""


@pytest.mark.cluster
@pytest.mark.timeout(900)
@pytest.mark.parametrize("wish", WISHES)
def test_what_a_bento_asks_for_besides_packages_is_in_its_container(
    cloud: BoxedCloud, wish: str, tmp_path: Path
) -> None:
    code, options, command, said = WISHES[wish]
    name = wish.replace(" ", "-")
    script = cloud.folder / f"project-{name}-v1" / "setup.sh"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\necho scripted > /etc/scripted\n")
    script.chmod(0o755)
    build_bento(cloud.folder, WISHING.format(wish=code), service="service.py:Boxed", name=name, **options)
    cloud.run("deploy", f"{name}:v1", "--name", name)
    assert cloud.call(name, "shell", command=command) == said
    image = cloud.view(name).image
    assert image is not None
    assert image.kind == "oci"
    cloud.run("delete", name, "--yes")
    eventually(lambda: not cloud.containers())
