"""All ways in which the unmodified client sends and fetches content, and what breaks off on the way."""

from __future__ import annotations

import hashlib
import io
import signal
import subprocess
import sys
import tarfile
from pathlib import Path

import httpx
import pytest
from running_cloud import BUILD, SERVICE, Client, clean_environment

from bento_jupyter.home import Home

MANIFEST = {"service": "s:S", "bentoml_version": "1.4.39", "size_bytes": 1}

#: `bentoml push` with parts of 64 KiB instead of 100 MiB, so that small things come in many.
PUSH_IN_SMALL_PARTS = """
import sys
from bentoml._internal.cloud import base, bento, model
base.FILE_CHUNK_SIZE = bento.FILE_CHUNK_SIZE = model.FILE_CHUNK_SIZE = 65536
import bentoml
bentoml.push(sys.argv[1], force=True)
"""

#: As `bentoml models push`, but it stops in the middle of the body and says so.
PUSH_SLOWLY = """
import sys, time, bentoml
from bentoml._internal.cloud import base
read, sent = base.CallbackIOWrapper.read, 0
def slowly(self, size=-1):
    global sent
    data = read(self, size if size > 0 else 65536)
    sent += len(data)
    if sent > 300_000:
        print("half way", flush=True)
        time.sleep(60)
    return data
base.CallbackIOWrapper.read = slowly
bentoml.models.push(sys.argv[1])
"""


@pytest.fixture(params=["proxy", "presigned", "multipart"])
def transfer(request) -> str:
    return request.param


@pytest.fixture
def cloud(start_cloud, tmp_path, transfer):
    return start_cloud(Home(tmp_path / "home"), BENTO_JUPYTER_TRANSFER=transfer)


@pytest.fixture
def client(cloud, tmp_path) -> Client:
    made = Client(tmp_path / "bentoml")
    made("cloud", "login", "--endpoint", cloud.endpoint, "--api-token", cloud.token)
    return made


@pytest.fixture
def tag(client, tmp_path) -> str:
    project = tmp_path / "project"
    project.mkdir()
    (project / "service.py").write_text(SERVICE)
    (project / "padding.bin").write_bytes(bytes(range(256)) * 1000)
    code = BUILD.replace('["service.py"]', '["service.py", "padding.bin"]')
    return client.python(code, cwd=project).splitlines()[-1]


def test_a_bento_and_its_model_are_pushed_pushed_again_and_pulled(cloud, client, tag, tmp_path):
    assert "Successfully pushed" in client("push", tag).stdout
    assert "Push skipped" in client("push", tag).stdout
    assert "Successfully pushed" in client("push", "-f", tag).stdout
    client._run([sys.executable, "-c", PUSH_IN_SMALL_PARTS, tag])
    other = Client(tmp_path / "other")
    other("cloud", "login", "--endpoint", cloud.endpoint, "--api-token", cloud.token)
    other("pull", tag, "--with-models")
    place = Path("bentos", *tag.split(":"), "src")
    for file in ("service.py", "padding.bin"):
        assert (other.home / place / file).read_bytes() == (client.home / place / file).read_bytes()
    assert "words:" in other("models", "list").stdout
    assert list((cloud.home.cloud / "incoming").iterdir()) == []


def test_a_push_whose_client_was_killed_is_not_there_and_can_be_pushed_again(cloud, client, wait_for):
    tag = client.python(
        "import bentoml\n"
        "with bentoml.models.create('big') as model:\n"
        "    open(model.path_of('weights.bin'), 'wb').write(bytes(3_000_000))\n"
        "print(model.tag)"
    ).splitlines()[-1]
    process = subprocess.Popen(
        [sys.executable, "-c", PUSH_SLOWLY, tag],
        env=clean_environment(BENTOML_HOME=str(client.home)),
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert any("half way" in line for line in process.stdout)
        process.send_signal(signal.SIGKILL)
    name, _, version = tag.partition(":")
    path = f"/api/v1/model_repositories/{name}/models/{version}"
    assert cloud.http.get(path).json()["upload_status"] in ("pending", "uploading")
    assert cloud.http.get(f"{path}/download").status_code == 409
    wait_for(lambda: not list((cloud.home.cloud / "incoming").glob("upload-*")))
    assert "Successfully pushed" in client("models", "push", tag).stdout
    assert cloud.http.get(path).json()["upload_status"] == "success"


# The rest is said once


@pytest.fixture
def multipart_cloud(start_cloud, tmp_path):
    return start_cloud(Home(tmp_path / "home"), BENTO_JUPYTER_TRANSFER="multipart")


def register(cloud, name: str = "raw") -> str:
    cloud.http.post("/api/v1/bento_repositories", json={"name": name}).raise_for_status()
    path = f"/api/v1/bento_repositories/{name}/bentos"
    cloud.http.post(path, json={"version": "v1", "manifest": MANIFEST}).raise_for_status()
    return f"{path}/v1"


def archive() -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:") as tar:
        info = tarfile.TarInfo("bento.yaml")
        info.size = 5
        tar.addfile(info, io.BytesIO(b"name:"))
    return target.getvalue()


def put(url: str, content: bytes) -> httpx.Response:
    return httpx.put(url, content=content, trust_env=False)


def presign(cloud, path: str, upload_id: str, number: int) -> str:
    body = {"upload_id": upload_id, "part_number": number}
    answer = cloud.http.patch(f"{path}/presign_multipart_upload_url", json=body)
    return answer.raise_for_status().json()["presigned_upload_url"]


def complete(cloud, path: str, upload_id: str, parts: list[tuple[int, str]]) -> httpx.Response:
    listed = [{"part_number": number, "etag": etag} for number, etag in parts]
    body = {"upload_id": upload_id, "parts": listed}
    return cloud.http.patch(f"{path}/complete_multipart_upload", json=body)


def test_parts_come_in_any_order_and_again_and_are_checked_at_the_end(multipart_cloud):
    cloud, whole = multipart_cloud, archive()
    path = register(cloud)
    upload_id = cloud.http.patch(f"{path}/start_multipart_upload").json()["upload_id"]
    pieces = {1: whole[:3000], 2: whole[3000:7000], 3: whole[7000:]}
    etags = {}
    for number in (3, 1, 2, 1):
        answer = put(presign(cloud, path, upload_id, number), pieces[number])
        etags[number] = answer.raise_for_status().headers["etag"]
    assert etags[2].strip('"') == hashlib.sha256(pieces[2]).hexdigest()
    everything = sorted(etags.items())
    assert complete(cloud, path, upload_id, everything[:2]).status_code == 400
    assert complete(cloud, path, upload_id, [everything[0], everything[2]]).status_code == 400
    assert complete(cloud, path, upload_id, [(1, etags[2]), (2, etags[1]), (3, etags[3])]).status_code == 409
    assert cloud.http.get(path).json()["upload_status"] != "success"
    assert complete(cloud, path, upload_id, everything).json()["upload_status"] == "success"
    assert cloud.http.get(f"{path}/download").content == whole
    assert complete(cloud, path, upload_id, everything).status_code == 404


def test_a_url_opens_only_what_it_was_made_for(multipart_cloud):
    cloud = multipart_cloud
    path, other = register(cloud), register(cloud, "other")
    url = httpx.URL(cloud.http.patch(f"{path}/presign_upload_url").json()["presigned_upload_url"])
    assert put(str(url.copy_with(path="/transfer/bentos/other/v1")), archive()).status_code == 401
    assert put(str(url.copy_merge_params({"expires": "99999999999"})), archive()).status_code == 401
    assert put(str(url.copy_merge_params({"signature": "0" * 64})), archive()).status_code == 401
    assert put(str(url.copy_merge_params({"part": "2"})), archive()).status_code == 401
    assert put(str(url.copy_with(query=b"")), archive()).status_code == 401
    assert httpx.get(url, trust_env=False).status_code == 401
    for each in (path, other):
        assert cloud.http.get(each).json()["upload_status"] == "pending"
    assert put(str(url), archive()).status_code == 200
    fetched = cloud.http.patch(f"{path}/presign_download_url").json()["presigned_download_url"]
    assert httpx.get(fetched, trust_env=False).content == archive()


def test_two_clients_that_push_one_model_at_once_both_succeed(start_cloud, tmp_path):
    cloud = start_cloud(Home(tmp_path / "home"))
    client = Client(tmp_path / "bentoml")
    client("cloud", "login", "--endpoint", cloud.endpoint, "--api-token", cloud.token)
    tag = client.python(
        "import bentoml\n"
        "with bentoml.models.create('both') as model:\n"
        "    open(model.path_of('weights.bin'), 'wb').write(bytes(2_000_000))\n"
        "print(model.tag)"
    ).splitlines()[-1]
    pushes = [
        subprocess.Popen(
            [sys.executable, "-m", "bentoml", "models", "push", tag],
            env=clean_environment(BENTOML_HOME=str(client.home), COLUMNS="200"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(3)
    ]
    said = [push.communicate()[0] for push in pushes]
    assert [push.returncode for push in pushes] == [0, 0, 0], said
    name, _, version = tag.partition(":")
    record = cloud.http.get(f"/api/v1/model_repositories/{name}/models/{version}").json()
    assert record["upload_status"] == "success"


def test_a_model_of_huggingface_is_registered_and_never_waited_for(start_cloud, tmp_path):
    cloud = start_cloud(Home(tmp_path / "home"))
    cloud.http.post("/api/v1/model_repositories", json={"name": "llm"}).raise_for_status()
    manifest = {
        "module": "",
        "api_version": "v1",
        "bentoml_version": "1.4.39",
        "size_bytes": 10,
        "metadata": {"registry": "huggingface", "model_id": "org/llm", "revision": "abc"},
    }
    path = "/api/v1/model_repositories/llm/models"
    cloud.http.post(path, json={"version": "abc", "manifest": manifest}).raise_for_status()
    bento = register(cloud)
    cloud.http.patch(bento, json={"manifest": {**MANIFEST, "models": ["llm:abc"]}}).raise_for_status()
    cloud.http.put(f"{bento}/upload", content=archive()).raise_for_status()
    wish = {"name": "d", "bento": "raw:v1", "services": {}}
    assert cloud.http.post("/api/v2/deployments", json=wish).status_code != 409
