"""Codespaces: the real `bentoml code` under a terminal, and the files that it sends."""

from __future__ import annotations

import base64
import hashlib
import os
import resource
import shutil
import signal
from importlib.metadata import version

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bento_jupyter.cloud.store.codespaces import Codespaces
from bento_jupyter.errors import InvalidRequestError
from bento_jupyter.home import Home

BENTOML = version("bentoml")
SERVICE = (
    "import bentoml\n\n@bentoml.service\nclass Live:\n"
    "    @bentoml.api\n    def word(self) -> str:\n        return 'kept'\n"
)


def send(cloud, name: str, **files: str):
    sent = [
        {"path": path, "b64_encoded_content": base64.b64encode(content.encode()).decode()}
        for path, content in files.items()
    ]
    return cloud.http.post(f"/api/v2/deployments/{name}/files", json={"files": sent})


def make_codespace(cloud, name: str) -> None:
    """What `bentoml code` does before it sends files."""
    service = {"name": "Live", "service": ""}
    manifest = {"service": "service:Live", "bentoml_version": BENTOML, "size_bytes": 0, "dev": True}
    repository = "/api/v1/bento_repositories"
    cloud.http.post(repository, json={"name": "described"})
    versions = f"{repository}/described/bentos"
    body = {"version": name, "manifest": {**manifest, "entry_service": "Live", "services": [service]}}
    cloud.http.post(versions, json=body).raise_for_status()
    done = {"status": "success", "reason": "bento for development"}
    cloud.http.patch(f"{versions}/{name}/finish_upload", json=done).raise_for_status()
    body = {"name": name, "bento": f"described:{name}", "dev": True}
    cloud.http.post("/api/v2/deployments", json=body).raise_for_status()


@pytest.fixture
def codespace(cloud, deployment_name) -> str:
    """A codespace without files; nothing of it runs."""
    make_codespace(cloud, deployment_name)
    return deployment_name


@pytest.mark.parametrize(
    "path", ["../x", "/etc/x", "a/../../x", "", "a//b", "a/", "./x", "a\\b", "a\0b", "a\nb", "x" * 300, ".."]
)
def test_no_file_leaves_the_folder_and_with_a_bad_one_none_is_written(cloud, codespace, path):
    answer = send(cloud, codespace, **{"fine.txt": "x", path: "x"})
    assert answer.status_code == 400
    assert "no path of a file" in answer.json()["error"]
    gone = cloud.http.request("DELETE", f"/api/v2/deployments/{codespace}/files", json={"paths": [path]})
    assert gone.status_code == 400
    assert cloud.http.get(f"/api/v2/deployments/{codespace}/files").json() == {"files": []}


def test_files_are_written_listed_and_deleted_with_their_folders(cloud, codespace):
    assert cloud.view(codespace)["reason"] == "waiting for the files of the codespace"
    assert send(cloud, codespace, **{"a/b/c.txt": "one", "d.txt": ""}).status_code == 200
    listed = cloud.http.get(f"/api/v2/deployments/{codespace}/files").json()["files"]
    md5 = hashlib.md5(b"one").hexdigest()
    assert listed[0] == {"path": "a/b/c.txt", "size": 3, "md5": md5}
    assert send(cloud, codespace, **{"a/b": "a folder has this name"}).status_code == 400
    paths = {"paths": ["a/b/c.txt", "never.txt"]}
    assert (
        cloud.http.request("DELETE", f"/api/v2/deployments/{codespace}/files", json=paths).status_code == 200
    )
    listed = cloud.http.get(f"/api/v2/deployments/{codespace}/files").json()["files"]
    assert [file["path"] for file in listed] == ["d.txt"]
    assert send(cloud, codespace, a="now it is free").status_code == 200


def test_a_codespace_in_lists_and_a_deployment_that_is_none(cloud, codespace, pushed_greeter):
    rows = cloud.http.get("/api/v2/deployments", params={"q": "is:dev"}).json()["items"]
    assert codespace in [row["name"] for row in rows]
    assert all(row["manifest"]["dev"] for row in rows)
    name = f"{codespace}-x"
    body = {"name": name, "bento": pushed_greeter, "services": {"Greeter": {"scaling": {"min_replicas": 0}}}}
    cloud.http.post("/api/v2/deployments", json=body).raise_for_status()
    assert send(cloud, name, x="y").status_code == 400
    refused = cloud.http.post("/api/v2/deployments", json={"bento": f"described:{codespace}"})
    assert refused.status_code == 409, "what is for development only has no content to deploy"
    cloud.http.delete(f"/api/v2/deployments/{name}")


def test_of_files_that_the_disk_has_no_room_for_none_is_written(tmp_path):
    codespaces = Codespaces(tmp_path)
    codespaces.write("uid", {"a.txt": b"before"})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
        with pytest.raises(OSError, match="File too large"):
            codespaces.write("uid", {"a.txt": b"after", "b/c.txt": b"x" * 5000})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [file.path for file in codespaces.files("uid")] == ["a.txt"]
    assert [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()] == [b"before"]
    assert codespaces.digest("uid") == Codespaces(tmp_path).digest("uid"), "as the next start reads it"


def test_what_a_service_makes_beside_the_files_is_none_of_them(tmp_path):
    Codespaces(tmp_path).write("uid", {"a.txt": b"a", "b/c.txt": b"c"})
    source = tmp_path / "uid" / "src"
    (source / "nowhere").symlink_to("missing")
    (source / "elsewhere").symlink_to("/etc/hostname")
    os.mkfifo(source / "b" / "pipe")
    (source / "b" / "odd\nname").write_text("")
    (source / os.fsdecode(b"\xff")).write_text("")
    found = Codespaces(tmp_path)
    found.read(["uid", "never"])
    assert [file.path for file in found.files("uid")] == ["a.txt", "b/c.txt"]
    assert found.digest("uid") != found.digest("never")


def test_files_that_the_service_has_removed_can_be_deleted(tmp_path):
    codespaces = Codespaces(tmp_path)
    codespaces.write("uid", {"a/b/c.txt": b"c", "d/e.txt": b"e", "f/g.txt": b"g"})
    source = tmp_path / "uid" / "src"
    shutil.rmtree(source / "a" / "b")
    shutil.rmtree(source / "d")
    (source / "d").write_text("a file now")
    (source / "f" / "more").write_text("")
    codespaces.delete("uid", ["a/b/c.txt", "d/e.txt", "f/g.txt"])
    assert codespaces.files("uid") == []
    assert sorted(str(path.relative_to(source)) for path in source.rglob("*")) == ["d", "f", "f/more"]


@given(st.lists(st.text(max_size=8) | st.sampled_from(["..", ".", "a", "b", ""]), min_size=1, max_size=5))
def test_whatever_is_sent_stays_below_the_folder(tmp_path_factory, parts):
    folder = tmp_path_factory.mktemp("codespaces")
    codespaces = Codespaces(folder)
    path = "/".join(parts)
    try:
        codespaces.write("uid", {path: b"x"})
    except InvalidRequestError:
        assert not list(folder.rglob("*"))
        return
    assert [place for place in folder.rglob("*") if place.is_file()] == [folder / "uid" / "src" / path]
    codespaces.delete("uid", [path])
    assert not [place for place in folder.rglob("*") if place.is_file()]


def test_a_codespace_is_there_again_when_the_cloud_was_killed(start_cloud, tmp_path, wait_for):
    home = Home(tmp_path / "home")
    cloud = start_cloud(home)
    make_codespace(cloud, "live")
    files = {"service.py": SERVICE, "requirements.txt": f"bentoml=={BENTOML}\n", ".project_ready": ""}
    assert send(cloud, "live", **files).status_code == 200
    url = cloud.wait_until("live", "running", seconds=120)["url"]
    (uid,) = (home.cloud / "codespaces").iterdir()
    (uid / "src" / "made-by-the-service").symlink_to("nowhere")
    cloud.stop(signal.SIGKILL)
    cloud = start_cloud(home)
    cloud.wait_until("live", "running", seconds=120)
    assert httpx.post(f"{url}/word", json={}, timeout=30, trust_env=False).text == "kept"
    listed = cloud.http.get("/api/v2/deployments/live/files").json()["files"]
    assert [file["path"] for file in listed] == sorted(files)
    cloud.http.delete("/api/v2/deployments/live").raise_for_status()
    wait_for(lambda: not list((home.cloud / "codespaces").iterdir()))
