"""Images: what is refused before anything is made, what fails in the resolver's words, what is built once."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from bento_jupyter.cloud.images import Images, needs_container, read_recipe
from bento_jupyter.cloud.provision import Provision
from bento_jupyter.cloud.store import Store
from bento_jupyter.environments import this_minor
from bento_jupyter.errors import EnvironmentBuildError
from bento_jupyter.home import Home
from bento_jupyter.spec import DeploymentSpec

PLAIN = {
    "base_image": "python:3.11-slim",
    "python_version": this_minor(),
    "commands": [],
    "post_commands": [],
}
INSTALL = "apt-get update && apt-get install -q -y -o Dpkg::Options::=--force-confdef {}"


def bento(folder: Path, *, requirements: str = "", **image) -> Path:
    (folder / "env" / "python").mkdir(parents=True)
    (folder / "env" / "python" / "requirements.txt").write_text(requirements)
    manifest = {"spec": 2, "service": "s:S", "image": {**PLAIN, **image}}
    (folder / "bento.yaml").write_text(yaml.safe_dump(manifest))
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.create()
    return made


WANTS = [
    ({"commands": [INSTALL.format("ffmpeg libsndfile1")]}, "the system packages ffmpeg, libsndfile1"),
    (
        {"base_image": "nvidia/cuda:12.4.0-runtime"},
        "based on the container image 'nvidia/cuda:12.4.0-runtime'",
    ),
    ({"base_image": "python:3.11-alpine"}, "based on the container image"),
    ({"commands": ["curl -o x https://example.org && sh x"]}, "the setup command 'curl"),
    ({"post_commands": ["chmod +x ./env/docker/script__ab && ./env/docker/script__ab"]}, "the setup command"),
]


@pytest.mark.parametrize(("image", "said"), WANTS)
def test_without_a_builder_what_needs_more_than_python_is_a_400_and_nothing_is_made(
    cloud, image, said, request
):
    name = f"img{abs(hash(request.node.name)) % 10**6}"
    before = cloud.http.get("/api/v2/deployments").json()["total"]
    cloud.http.post("/api/v1/bento_repositories", json={"name": name}).raise_for_status()
    path = f"/api/v1/bento_repositories/{name}/bentos"
    manifest = {
        "service": "s:S",
        "bentoml_version": "1.4.39",
        "size_bytes": 1,
        "spec": 2,
        "image": {**PLAIN, **image},
        "entry_service": "S",
        "services": [{"name": "S", "service": ""}],
    }
    cloud.http.post(path, json={"version": "v1", "manifest": manifest}).raise_for_status()
    cloud.http.put(f"{path}/v1/upload", content=one_file_archive()).raise_for_status()
    answer = cloud.http.post("/api/v2/deployments", json={"name": name, "bento": f"{name}:v1"})
    assert answer.status_code == 400
    assert said in answer.json()["error"]
    assert "install podman" in answer.json()["error"]
    assert "deploy it to a cloud that builds containers" in answer.json()["error"]
    assert cloud.http.get("/api/v2/deployments").json()["total"] == before
    assert cloud.http.get(f"/api/v2/deployments/{name}").status_code == 404


def one_file_archive() -> bytes:
    import io
    import tarfile

    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:") as tar:
        tar.addfile(tarfile.TarInfo("bento.yaml"))
    return target.getvalue()


def test_the_old_container_format_is_refused_by_its_name(tmp_path):
    assert "container format of BentoML before 1.4" in needs_container(
        {"service": "s:S", "docker": {"cuda": "12"}}
    )
    assert needs_container({"spec": 2, "image": PLAIN}) == ""


def test_the_image_that_bentoml_builds_by_default_is_not_refused(cloud, pushed_greeter):
    name, version = pushed_greeter.split(":")
    manifest = cloud.http.get(f"/api/v1/bento_repositories/{name}/bentos/{version}").json()["manifest"]
    assert manifest["spec"] == 2
    assert manifest["image"]["commands"]
    assert needs_container(manifest) == ""


def test_without_a_builder_an_oci_image_that_is_asked_for_is_refused_by_what_to_install(
    cloud, pushed_greeter, deployment_name
):
    wanted = DeploymentSpec(name=deployment_name, bento=pushed_greeter, image="oci")
    answer = cloud.http.post("/api/v2/deployments", json=wanted.to_wire("Greeter"))
    assert answer.status_code == 400
    assert "it asks for an OCI image" in answer.json()["error"]
    assert "apt install podman" in answer.json()["error"]
    assert cloud.http.get(f"/api/v2/deployments/{deployment_name}").status_code == 404


def provided(home: Home, get_folder: Callable[[], Path]) -> Provision:
    """What became of a Bento from this folder."""

    async def provide() -> Provision:
        over = asyncio.Event()
        store = Store.open(home)
        provision = Provision("b:v1", get_folder, store, Images(home), over.set)
        provision.begin()
        await asyncio.wait_for(over.wait(), 30)
        store.close()
        return provision

    return asyncio.run(provide())


ODD = [
    "a: [",
    "- 1",
    "text",
    "1",
    "spec: abc",
    "spec: 2\nimage: [1]",
    "spec: 2\nimage: {commands: 5}",
    "\x00",
    "",
]


@pytest.mark.parametrize("text", ODD)
def test_a_malformed_bento_says_so_and_nobody_waits_for_it(home, tmp_path, text):
    folder = bento(tmp_path / "b")
    (folder / "bento.yaml").write_text(text)
    with pytest.raises(EnvironmentBuildError):
        read_recipe(folder)
    provision = provided(home, lambda: folder)
    assert (provision.status, bool(provision.failure)) == ("failed", True)


def test_whatever_goes_wrong_on_the_way_to_an_image_is_its_failure(home):
    def get_folder() -> Path:
        raise ZeroDivisionError("of all things")

    assert provided(home, get_folder).failure == "ZeroDivisionError: of all things"


def test_many_that_want_one_image_at_once_build_it_once(home, tmp_path):
    recipe = read_recipe(bento(tmp_path / "b"))

    async def want() -> list:
        images = Images(home)
        return await asyncio.gather(*(images.ensure(recipe) for _ in range(5)))

    made = asyncio.run(want())
    assert len({each.path for each in made}) == 1
    log = Images(home).log_path(recipe.key).read_text()
    assert log.count("built for Python") == 1


def test_an_image_that_is_there_is_announced_once(home, tmp_path):
    recipe = read_recipe(bento(tmp_path / "b"))
    told: list[str] = []

    async def want() -> None:
        images = Images(home, told.append)
        first = await images.ensure(recipe)
        announced = len(told)
        assert await images.ensure(recipe) == first
        assert len(told) == announced, "a later deployment changes nothing for those that use it already"
        shutil.rmtree(first.path)
        again = await images.ensure(recipe)
        assert again.python.exists()
        assert len(told) > announced

    asyncio.run(want())


def test_a_failure_is_the_resolvers_own_words_and_the_next_deployment_tries_again(home, tmp_path):
    folder = bento(tmp_path / "b", requirements="./missing.whl")
    recipe = read_recipe(folder)

    async def twice() -> str:
        images = Images(home)
        with pytest.raises(EnvironmentBuildError) as caught:
            await images.ensure(recipe)
        assert images.view(recipe.key).status == "failed"
        assert images.view(recipe.key).reason == caught.value.message
        with pytest.raises(EnvironmentBuildError):
            await images.ensure(recipe)
        return caught.value.message

    message = asyncio.run(twice())
    assert "missing.whl" in message
    assert Images(home).log_path(recipe.key).read_text().count("failed: ") == 2
    assert [path for path in home.environments.iterdir() if path.is_dir()] == []


def test_a_python_that_is_not_there_is_refused_with_those_at_hand(home, tmp_path):
    recipe = read_recipe(bento(tmp_path / "b", python_version="3.99"))

    async def want() -> None:
        await Images(home).ensure(recipe)

    with pytest.raises(EnvironmentBuildError, match=r"no Python 3\.99 on this machine") as caught:
        asyncio.run(want())
    assert this_minor() in caught.value.message.partition("at hand: ")[2].split(", ")


def test_two_bentos_with_the_same_lock_share_an_image_and_other_locks_do_not(tmp_path):
    one = read_recipe(bento(tmp_path / "one", requirements="a==1\nb==2"))
    two = read_recipe(bento(tmp_path / "two", requirements="b==2\na==1  # again"))
    other = read_recipe(bento(tmp_path / "three", requirements="a==1\nb==3"))
    older = read_recipe(bento(tmp_path / "four", requirements="a==1\nb==2", python_version="3.10"))
    assert one.key == two.key
    assert len({one.key, other.key, older.key}) == 3


def test_the_end_of_the_cloud_ends_a_build(home, tmp_path):
    recipe = read_recipe(bento(tmp_path / "b", requirements="bentoml==1.4.39"))

    async def begin_and_end() -> None:
        started = asyncio.Event()
        images = Images(home, lambda _key: started.set())
        build = asyncio.ensure_future(images.ensure(recipe))
        await started.wait()
        await images.close()
        with pytest.raises(EnvironmentBuildError, match="cancelled"):
            await build

    asyncio.run(begin_and_end())
    assert [path for path in home.environments.iterdir() if path.is_dir()] == []
