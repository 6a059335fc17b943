"""What is kept, handed over, deleted, and found to be damaged."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from pathlib import Path

import httpx
import pytest

from bento_jupyter.client.cloud import Cloud
from bento_jupyter.home import Home

MANIFEST = {"service": "s:S", "bentoml_version": "1.4.39", "size_bytes": 1}
MODEL_MANIFEST = {"module": "m", "api_version": "v1", "bentoml_version": "1", "size_bytes": 1}


@pytest.fixture
def name(request) -> str:
    return f"k{hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:12]}"


def register(cloud, kind: str, name: str, version: str = "v1", **more) -> str:
    path = f"/api/v1/{kind}_repositories"
    cloud.http.post(path, json={"name": name}).raise_for_status()
    manifest = {**(MANIFEST if kind == "bento" else MODEL_MANIFEST), **more}
    body = {"version": version, "manifest": manifest}
    cloud.http.post(f"{path}/{name}/{kind}s", json=body).raise_for_status()
    return f"{path}/{name}/{kind}s/{version}"


def tar_of(files: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:") as tar:
        for path, content in files.items():
            info = tarfile.TarInfo(path)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return target.getvalue()


def push(cloud, kind: str, name: str, content: bytes = b"x", **more) -> str:
    path = register(cloud, kind, name, **more)
    archive = tar_of({f"{kind}.yaml": b"name: x\n", "data": content})
    cloud.http.put(f"{path}/upload", content=archive).raise_for_status()
    return path


def hand_over(cloud, kind: str, name: str, folder: Path, version: str = "v1") -> httpx.Response:
    return cloud.http.put(f"/api/bj/v1/{kind}s/{name}/{version}/content", json={"path": str(folder)})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "model"
    (made / "deep").mkdir(parents=True)
    (made / "model.yaml").write_text("name: m\n")
    (made / "deep" / "weights.bin").write_bytes(os.urandom(100_000))
    (made / "deep" / "run.sh").write_text("true\n")
    (made / "deep" / "run.sh").chmod(0o755)
    (made / "link").symlink_to("deep/weights.bin")
    return made


# Folders instead of bytes


def test_a_folder_that_is_handed_over_is_downloaded_as_the_archive_of_its_digest(
    cloud, folder, name, tmp_path
):
    path = register(cloud, "model", name)
    answer = hand_over(cloud, "model", name, folder)
    assert answer.json()["upload_status"] == "success"
    downloaded = cloud.http.get(f"{path}/download").raise_for_status()
    assert int(downloaded.headers["content-length"]) == len(downloaded.content)
    with tarfile.open(fileobj=io.BytesIO(downloaded.content)) as tar:
        tar.extractall(tmp_path / "out", filter="tar")
    out = tmp_path / "out"
    assert (out / "deep/weights.bin").read_bytes() == (folder / "deep/weights.bin").read_bytes()
    assert os.readlink(out / "link") == "deep/weights.bin"
    assert os.access(out / "deep/run.sh", os.X_OK)
    [tree] = (cloud.home.cloud / "models" / name / "v1").iterdir()
    assert hashlib.sha256(downloaded.content).hexdigest().startswith(tree.name)


def test_what_is_written_to_the_folder_later_does_not_reach_the_cloud(cloud, folder, name):
    path = register(cloud, "model", name)
    hand_over(cloud, "model", name, folder).raise_for_status()
    before = cloud.http.get(f"{path}/download").content
    with (folder / "deep/weights.bin").open("r+b") as file:
        file.write(b"something else")
    assert cloud.http.get(f"{path}/download").content == before


@pytest.mark.parametrize("trick", ["outside", "absolute", "fifo", "no marker", "relative", "linked", "dots"])
def test_a_folder_with_a_trick_is_refused_and_nothing_is_kept(cloud, folder, name, trick):
    path = register(cloud, "model", name)
    named = str(folder)
    if trick == "outside":
        (folder / "out").symlink_to("../../secret")
    elif trick == "absolute":
        (folder / "out").symlink_to("/etc/passwd")
    elif trick == "fifo":
        os.mkfifo(folder / "pipe")
    elif trick == "no marker":
        (folder / "model.yaml").unlink()
    elif trick == "relative":
        named = os.path.relpath(folder)
    elif trick == "linked":
        (folder.parent / "other").symlink_to(folder)
        named = str(folder.parent / "other")
    else:
        named = f"{folder}/../{folder.name}"
    answer = cloud.http.put(f"/api/bj/v1/models/{name}/v1/content", json={"path": named})
    assert answer.status_code == 400, answer.text
    assert cloud.http.get(path).json()["upload_status"] != "success"
    assert not (cloud.home.cloud / "models" / name).exists()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can make files of others")
def test_files_of_somebody_else_are_not_taken(cloud, folder, name):
    register(cloud, "model", name)
    os.chown(folder / "deep/weights.bin", 12345, 12345)
    answer = hand_over(cloud, "model", name, folder)
    assert answer.status_code == 400
    assert "deep/weights.bin" in answer.json()["message"]


def test_only_the_owner_hands_over_folders(cloud, folder, name):
    register(cloud, "model", name)
    body = {"name": "t", "description": "", "scopes": ["api"], "expired_at": None}
    token = cloud.http.post("/api/v1/api_tokens", json=body).json()["token"]
    answer = httpx.put(
        f"{cloud.endpoint}/api/bj/v1/models/{name}/v1/content",
        json={"path": str(folder)},
        headers={"X-YATAI-API-TOKEN": token},
        trust_env=False,
    )
    assert answer.status_code == 401


def test_our_own_push_hands_over_and_the_bento_is_pulled_and_served_as_ever(
    cloud, bentoml, other_bentoml, fresh_greeter, deployment_name
):
    bentoml.python(
        "from bento_jupyter.client.cloud import Cloud\n"
        f"cloud = Cloud('embedded', {cloud.endpoint!r}, {cloud.token!r}, embedded=True)\n"
        f"assert cloud.push({fresh_greeter!r})\n"
        f"assert not cloud.push({fresh_greeter!r})\n"
    )
    blobs = {path.stem for path in (cloud.home.cloud / "blobs").iterdir()}
    tree = next((cloud.home.cloud / "bentos" / fresh_greeter.replace(":", "/")).iterdir())
    assert not any(blob.startswith(tree.name) for blob in blobs), "no bytes were sent"
    other_bentoml("pull", fresh_greeter, "--with-models")
    name, version = fresh_greeter.split(":")
    pulled = other_bentoml.home / "bentos" / name / version / "src/service.py"
    assert pulled.read_bytes() == (bentoml.home / "bentos" / name / version / "src/service.py").read_bytes()
    wish = {"services": {"Greeter": {"scaling": {"min_replicas": 1}}}}
    cloud.http.post(
        "/api/v2/deployments",
        json={
            "name": deployment_name,
            "bento": fresh_greeter,
            "envs": [{"name": "GREETING", "value": "hi"}],
            **wish,
        },
    ).raise_for_status()
    view = cloud.wait_until(deployment_name, "running", "image-build-failed", seconds=120)
    answer = httpx.post(f"{view['url']}/greet", json={"name": "Ada"}, timeout=60, trust_env=False)
    assert answer.text == "hi dear Ada"


# Damage


@pytest.mark.parametrize("harm", ["changed", "gone"])
def test_a_damaged_blob_is_told_and_not_served_and_mended_by_a_push(start_cloud, tmp_path, harm):
    cloud = start_cloud(Home(tmp_path / "home"))
    path = push(cloud, "bento", "torn")
    [blob] = (cloud.home.cloud / "blobs").iterdir()
    if harm == "gone":
        blob.unlink()
    else:
        with blob.open("r+b") as file:
            file.seek(1030)
            file.write(b"!")
    answer = cloud.http.get(f"{path}/download")
    assert answer.status_code == 409
    assert "damaged" in answer.json()["error"]
    assert "push it again" in answer.json()["error"]
    assert cloud.http.post("/api/v2/deployments", json={"name": "d", "bento": "torn:v1"}).status_code == 409
    archive = tar_of({"bento.yaml": b"name: x\n", "data": b"x"})
    cloud.http.put(f"{path}/upload", content=archive).raise_for_status()
    assert cloud.http.get(f"{path}/download").content == archive


def test_a_damaged_tree_that_was_handed_over_is_told(cloud, folder, name):
    path = register(cloud, "model", name)
    hand_over(cloud, "model", name, folder).raise_for_status()
    [tree] = (cloud.home.cloud / "models" / name / "v1").iterdir()
    (tree / "deep" / "weights.bin").write_bytes(b"!")
    answer = cloud.http.get(f"{path}/download")
    assert answer.status_code == 409
    assert "damaged" in answer.json()["error"]
    assert cloud.http.get(path).json()["upload_status"] == "failed"


# Deleting, and garbage


def test_a_deleted_bento_is_gone_with_its_content(cloud, name):
    path = push(cloud, "bento", name, name.encode())
    digest = hashlib.sha256(cloud.http.get(f"{path}/download").content).hexdigest()
    assert (cloud.home.cloud / "blobs" / f"{digest}.tar").exists()
    assert cloud.http.delete(f"/api/bj/v1/bentos/{name}/v1").status_code == 200
    assert cloud.http.get(path).status_code == 404
    assert not (cloud.home.cloud / "blobs" / f"{digest}.tar").exists()
    assert cloud.http.delete(f"/api/bj/v1/bentos/{name}/v1").status_code == 404


def test_a_bento_that_a_deployment_runs_and_a_model_that_a_bento_needs_stay(
    cloud, pushed_greeter, deployment_name
):
    wish = {"services": {"Greeter": {"scaling": {"min_replicas": 0}}}}
    cloud.http.post(
        "/api/v2/deployments", json={"name": deployment_name, "bento": pushed_greeter, **wish}
    ).raise_for_status()
    answer = cloud.http.delete(f"/api/bj/v1/bentos/{pushed_greeter.replace(':', '/')}")
    assert answer.status_code == 409
    assert deployment_name in answer.json()["message"]
    name, version = pushed_greeter.split(":")
    manifest = cloud.http.get(f"/api/v1/bento_repositories/{name}/bentos/{version}").json()["manifest"]
    [model] = manifest["models"]
    answer = cloud.http.delete(f"/api/bj/v1/models/{model.replace(':', '/')}")
    assert answer.status_code == 409
    assert pushed_greeter in answer.json()["message"]


def test_garbage_is_shown_first_and_then_deleted_and_what_is_used_stays(start_cloud, tmp_path):
    cloud = start_cloud(Home(tmp_path / "home"))
    path = push(cloud, "bento", "twice", b"old")
    cloud.http.put(f"{path}/upload", content=tar_of({"bento.yaml": b"", "data": b"new"})).raise_for_status()
    half = cloud.home.environments / "half"
    half.mkdir()
    (half / "file").write_bytes(b"12345")
    old = cloud.home.environments / "old"
    old.mkdir()
    (old / ".complete").write_text("{}")
    os.utime(old / ".complete", (1, 1))
    fresh = cloud.home.environments / "fresh"
    fresh.mkdir()
    (fresh / ".complete").write_text("{}")
    found = cloud.http.get("/api/bj/v1/garbage").json()
    assert not found["deleted"]
    kinds = sorted((item["kind"], item["name"]) for item in found["items"])
    assert [kind for kind, _ in kinds].count("blob") == 1
    assert ("environment", "half") in kinds
    assert ("environment", "old") in kinds
    assert half.exists()
    gone = cloud.http.delete("/api/bj/v1/garbage").json()
    assert gone["deleted"]
    assert not half.exists()
    assert not old.exists()
    assert fresh.exists(), "somebody got it just now"
    assert len(list((cloud.home.cloud / "blobs").iterdir())) == 1
    assert cloud.http.get(f"{path}/download").status_code == 200


def test_environments_in_nobodys_use_go_by_themselves_when_all_are_over_the_limit(
    start_cloud, tmp_path, wait_for
):
    home = Home(tmp_path / "home")
    home.create()
    for number, key in enumerate(("older", "newer")):
        (home.environments / key).mkdir()
        (home.environments / key / "file").write_bytes(bytes(1000))
        (home.environments / key / ".complete").write_text("{}")
        os.utime(home.environments / key / ".complete", (1 + number, 1 + number))
    start_cloud(home, BENTO_JUPYTER_ENVIRONMENTS_LIMIT="1500")
    wait_for(lambda: not (home.environments / "older").exists())
    assert (home.environments / "newer").exists()


def test_the_client_asks_for_garbage(cloud):
    client = Cloud("embedded", cloud.endpoint, cloud.token, embedded=True)
    assert not client.garbage(delete=False).deleted
