"""Pushing and pulling Bentos and models with the unmodified client."""

from __future__ import annotations

import io
import json
import socket
import tarfile

import pytest

BENTO_YAML = b"name: raw\nversion: v1\n"


def manifest(service: str) -> dict:
    return {"service": service, "bentoml_version": "1.4.39", "size_bytes": 1}


def archive(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:") as tar:
        for info, content in members:
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return file.getvalue()


def member(name: str, content: bytes = b"x") -> tuple[tarfile.TarInfo, bytes]:
    return tarfile.TarInfo(name), content


def register(cloud, name: str, version: str, described: dict | None = None) -> str:
    cloud.http.post("/api/v1/bento_repositories", json={"name": name, "description": ""}).raise_for_status()
    path = f"/api/v1/bento_repositories/{name}/bentos"
    body = {"version": version, "description": "", "manifest": described, "labels": []}
    cloud.http.post(path, json=body).raise_for_status()
    return f"{path}/{version}"


def test_a_bento_is_pushed_with_its_model_and_once_only(bentoml, fresh_greeter):
    first = bentoml("push", fresh_greeter).stdout
    assert f'Successfully pushed bento "{fresh_greeter}"' in first
    assert "Successfully pushed model" in first
    again = bentoml("push", fresh_greeter).stdout
    assert "Push skipped" in again
    assert "Successfully pushed" not in again


def test_a_forced_push_takes_the_place_of_the_first(bentoml, pushed_greeter):
    assert f'Successfully pushed bento "{pushed_greeter}"' in bentoml("push", "-f", pushed_greeter).stdout


def test_a_bento_is_pulled_with_its_model_into_an_empty_home(bentoml, other_bentoml, pushed_greeter):
    other_bentoml("pull", pushed_greeter, "--with-models")
    name, version = pushed_greeter.split(":")
    for file in ("bento.yaml", "src/service.py", "apis/schema.json"):
        pulled = other_bentoml.home / "bentos" / name / version / file
        assert pulled.read_bytes() == (bentoml.home / "bentos" / name / version / file).read_bytes()
    [model] = json.loads(other_bentoml("models", "list", "-o", "json").stdout)
    assert model["tag"].startswith("words:")
    assert (other_bentoml.home / "models" / model["tag"].replace(":", "/") / "word.txt").read_text() == "dear"


def test_a_model_is_pulled_by_its_name_alone(other_bentoml, pushed_greeter):
    other_bentoml("models", "pull", "words:latest")
    assert "words:" in other_bentoml("models", "list").stdout


def test_the_sdk_lists_bentos_and_models_of_the_cloud(bentoml, pushed_greeter):
    listed = bentoml.python(
        "from bentoml._internal.configuration.containers import BentoMLContainer as container\n"
        "client = container.bentocloud_client.get()\n"
        "print([f'{item.repository.name}:{item.version}' for item in client.bento.list().items])\n"
        "print([f'{item.repository.name}:{item.version}' for item in client.model.list().items])\n"
    )
    bentos, models = listed.splitlines()[-2:]
    assert pushed_greeter in bentos
    assert "words:" in models


def test_what_is_not_there_is_a_404(cloud):
    for path in (
        "/api/v1/bento_repositories/nobody",
        "/api/v1/bento_repositories/nobody/bentos?count=1",
        "/api/v1/bento_repositories/nobody/bentos/v1",
        "/api/v1/model_repositories/nobody/models/v1",
        "/api/v1/no/such/call",
    ):
        answer = cloud.http.get(path)
        assert answer.status_code == 404, path
        assert answer.json()["error"]


@pytest.mark.parametrize("version", ["latest", "..", "a/b", "UPPER", "", "-a", "a" * 64])
def test_a_version_that_could_not_be_a_folder_is_refused(cloud, version):
    cloud.http.post("/api/v1/bento_repositories", json={"name": "versions"}).raise_for_status()
    answer = cloud.http.post("/api/v1/bento_repositories/versions/bentos", json={"version": version})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("members", "complaint"),
    [
        ([member("bento.yaml"), member("../../outside")], "outside"),
        ([member("bento.yaml"), member("/etc/outside")], "outside"),
        ([member("not-a-bento.txt")], "no bento.yaml"),
        ([], "no bento.yaml"),
    ],
)
def test_a_bad_archive_is_refused_and_the_push_not_done(cloud, members, complaint, request):
    path = register(cloud, "bad", f"v{abs(hash(request.node.nodeid)) % 10**8}")
    answer = cloud.http.put(f"{path}/upload", content=archive(*members))
    assert answer.status_code == 400
    assert complaint in answer.json()["error"]
    assert cloud.http.get(path).json()["upload_status"] == "failed"
    assert cloud.http.get(f"{path}/download").status_code == 409


def test_what_is_no_archive_is_refused(cloud):
    path = register(cloud, "bad", "noise")
    assert cloud.http.put(f"{path}/upload", content=b"\x07" * 5000).status_code == 400


def test_an_upload_that_breaks_off_leaves_the_earlier_content_and_manifest(cloud):
    path = register(cloud, "torn", "v1", manifest("first"))
    whole = archive(member("bento.yaml", BENTO_YAML), member("big", b"1" * 300_000))
    cloud.http.put(f"{path}/upload", content=whole).raise_for_status()
    cloud.http.patch(path, json={"manifest": manifest("second")}).raise_for_status()
    cloud.http.patch(f"{path}/start_upload").raise_for_status()
    host, port = cloud.endpoint.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        head = f"PUT {path}/upload HTTP/1.1\r\nHost: {host}\r\nX-YATAI-API-TOKEN: {cloud.token}\r\n"
        connection.sendall(f"{head}Content-Length: {len(whole)}\r\n\r\n".encode() + whole[:200_000])
    now = cloud.http.get(path).json()
    assert (now["upload_status"], now["manifest"]) == ("success", manifest("first"))
    assert cloud.http.get(f"{path}/download").content == whole
    cloud.http.put(f"{path}/upload", content=whole).raise_for_status()
    assert cloud.http.get(path).json()["manifest"] == manifest("second")


def test_a_finish_without_content_is_not_believed(cloud):
    path = register(cloud, "empty", "v1")
    answer = cloud.http.patch(f"{path}/finish_upload", json={"status": "success", "reason": ""})
    assert answer.status_code == 409
    assert cloud.http.get(path).json()["upload_status"] != "success"


@pytest.mark.parametrize("broken", [{"service": "s:S"}, {**manifest("s:S"), "services": [{"name": "S"}]}])
def test_a_manifest_that_the_client_could_not_read_back_is_refused(cloud, broken):
    cloud.http.post("/api/v1/bento_repositories", json={"name": "broken"}).raise_for_status()
    body = {"version": "v1", "manifest": broken}
    answer = cloud.http.post("/api/v1/bento_repositories/broken/bentos", json=body)
    assert answer.status_code == 400
    assert "Field required" in answer.json()["error"]
    path = register(cloud, "broken", f"v{len(broken)}", manifest("s:S"))
    assert cloud.http.patch(path, json={"manifest": broken}).status_code == 400
    cloud.http.post("/api/v1/model_repositories", json={"name": "broken"}).raise_for_status()
    answer = cloud.http.post("/api/v1/model_repositories/broken/models", json={"version": "v1"})
    assert answer.status_code == 400


PLAIN_MANIFEST = {"service": "s:S", "bentoml_version": "1.4.39", "size_bytes": 1, "spec": 2}


def one_service(**more: object) -> dict[str, object]:
    return {"services": [{"name": "S", "service": "", **more}]}


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"spec": "abc"}, "spec"),
        ({"image": [1]}, "image"),
        ({"image": {"commands": "ls"}}, "image.commands"),
        ({"models": {"a": 1}}, "models"),
        ({"schema": "x"}, "schema"),
        ({"schema": {"routes": ["x"]}}, "schema.routes.0"),
        (one_service(config={"traffic": "x"}), "services.0.config.traffic"),
        (one_service(config={"traffic": {"timeout": -1}}), "services.0.config.traffic.timeout"),
        (one_service(config={"resources": [1]}), "services.0.config.resources"),
        (one_service(config=[1]), "services.0.config"),
        (one_service(dependencies=[1]), "services.0.dependencies.0"),
        (one_service(models=["x"]), "services.0.models.0"),
    ],
)
def test_a_manifest_of_odd_shape_is_refused_when_it_is_registered(cloud, more, where):
    cloud.http.post("/api/v1/bento_repositories", json={"name": "odd"}).raise_for_status()
    path = "/api/v1/bento_repositories/odd/bentos"
    manifest = {**PLAIN_MANIFEST, **more}
    answer = cloud.http.post(path, json={"version": "v1", "manifest": manifest})
    assert (answer.status_code, answer.json()["error"].startswith(where)) == (400, True), answer.text
    cloud.http.post(path, json={"version": "plain", "manifest": PLAIN_MANIFEST}).raise_for_status()
    assert cloud.http.patch(f"{path}/plain", json={"manifest": manifest}).status_code == 400
