"""Rows B1-B16 and M1-M16 of the contract: Bentos and models, pushed, listed and pulled."""

from __future__ import annotations

import io
import json
import tarfile
import uuid
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

MODEL = """
import bentoml, sys
with bentoml.models.create(sys.argv[1], labels={"stage": "test"}, metadata={"score": 0.5}) as model:
    open(model.path_of("weights.txt"), "w").write(sys.argv[2])
print(model.tag)
"""

SERVICE = """
import bentoml

@bentoml.service
class Weighing:
    weights = bentoml.models.BentoModel("{model}")

    @bentoml.api
    def weigh(self) -> str:
        return open(self.weights.path_of("weights.txt")).read()
"""


@pytest.fixture
def model(cloud) -> str:
    """Tag of a model of this test's own, in the local store."""
    name = f"m{uuid.uuid4().hex[:10]}"
    return cloud.run("-c", MODEL, name, f"weights of {name}").stdout.split()[-1]


@pytest.fixture
def bento(cloud, bentoml, model, tmp_path) -> str:
    """Tag of a Bento with that model, built and not pushed."""
    (tmp_path / "service.py").write_text(SERVICE.format(model=model))
    (tmp_path / "README.md").write_text("# Weighing\n\nIt says what its model weighs.\n")
    (tmp_path / "bentofile.yaml").write_text(
        "service: service:Weighing\nname: weighing\ninclude: [service.py, README.md]\n"
        "description: 'file: README.md'\nlabels: {team: tests}\npython: {lock_packages: false}\n"
    )
    version = f"v{uuid.uuid4().hex[:8]}"
    bentoml("build", "--version", version, cwd=tmp_path)
    return f"weighing:{version}"


def bento_path(tag: str) -> str:
    name, _, version = tag.partition(":")
    return f"/api/v1/bento_repositories/{name}/bentos/{version}"


def model_path(tag: str) -> str:
    name, _, version = tag.partition(":")
    return f"/api/v1/model_repositories/{name}/models/{version}"


def elsewhere(cloud, folder: Path, *words: str) -> Path:
    """Run the client with an empty store of its own, logged in to the same cloud; gives its home."""
    folder.mkdir(exist_ok=True)
    other = replace(cloud, bentoml_home=folder)
    login = ("cloud", "login", "--endpoint", cloud.endpoint, "--api-token", cloud.token)
    other.run("-m", "bentoml", *login)
    other.run("-m", "bentoml", *words)
    return folder


# bentoml push


def test_b1_to_b9_a_push_registers_repository_and_bento_and_uploads_both(cloud, bentoml, bento, model):
    assert cloud.http.get(bento_path(bento)).status_code == 404
    said = bentoml("push", bento).stdout
    assert f'Successfully pushed bento "{bento}"' in said
    assert "Successfully pushed model" in said
    record = cloud.http.get(bento_path(bento)).raise_for_status().json()
    assert record["name"] == record["version"] == bento.partition(":")[2]
    assert record["upload_status"] == "success"
    assert record["manifest"]["models"] == [model]
    assert {"key": "team", "value": "tests"} in record["labels"]
    assert "It says what its model weighs." in record["description"]
    repository = cloud.http.get("/api/v1/bento_repositories/weighing").raise_for_status().json()
    assert repository["latest_bento"]["version"] == record["version"]


def test_b3_a_second_push_is_skipped(bentoml, bento):
    bentoml("push", bento)
    said = bentoml("push", bento).stdout
    assert "Push skipped" in said
    assert "Successfully pushed" not in said


def test_b6_a_forced_push_takes_the_place_of_the_first(cloud, bentoml, bento):
    bentoml("push", bento)
    name, _, version = bento.partition(":")
    source = cloud.bentoml_home / "bentos" / name / version / "src" / "service.py"
    source.write_text(source.read_text() + "# again\n")
    assert f'Successfully pushed bento "{bento}"' in bentoml("push", "-f", bento).stdout
    archive = cloud.http.get(f"{bento_path(bento)}/download").raise_for_status().content
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        member = next(each for each in tar if each.name.endswith("src/service.py"))
        assert tar.extractfile(member).read().endswith(b"# again\n")
        assert not any("models/" in each.name for each in tar.getmembers()), "models go on their own"


def test_sdk_push_and_pull_of_a_bento(sdk, cloud, bento, tmp_path):
    sdk(f"import bentoml; bentoml.push({bento!r})")
    assert cloud.http.get(bento_path(bento)).json()["upload_status"] == "success"


# bentoml pull


def test_b14_b15_a_bento_is_pulled_with_its_models_into_an_empty_store(
    cloud, bentoml, bento, model, tmp_path
):
    bentoml("push", bento)
    home = elsewhere(cloud, tmp_path / "other", "pull", bento, "--with-models")
    place = Path("bentos", *bento.split(":"))
    for file in ("bento.yaml", "README.md", "src/service.py", "apis/openapi.yaml"):
        assert (home / place / file).read_bytes() == (cloud.bentoml_home / place / file).read_bytes()
    weights = Path("models", *model.split(":"), "weights.txt")
    assert (home / weights).read_text() == (cloud.bentoml_home / weights).read_text()


def test_b4_the_newest_bento_is_pulled_as_latest(embedded, cloud, bentoml, bento, tmp_path):
    bentoml("push", bento)
    home = elsewhere(cloud, tmp_path / "other", "pull", "weighing:latest")
    assert (home / "bentos" / "weighing").is_dir()


def test_b4_a_bento_that_is_nowhere_cannot_be_pulled(bentoml):
    done = bentoml("pull", f"nobody{uuid.uuid4().hex[:6]}:v1", check=False)
    assert done.returncode != 0
    assert "not found" in (done.stdout + done.stderr).lower()


# bentoml models push | pull


def test_m1_to_m9_a_model_is_pushed_once_and_again_by_force(cloud, bentoml, model):
    assert "Successfully pushed model" in bentoml("models", "push", model).stdout
    record = cloud.http.get(model_path(model)).raise_for_status().json()
    assert record["upload_status"] == "success"
    assert record["manifest"]["metadata"] == {"score": 0.5}
    assert record["manifest"]["size_bytes"] > 0
    assert {"key": "stage", "value": "test"} in record["labels"]
    assert "already exists" in bentoml("models", "push", model).stdout
    assert "Successfully pushed model" in bentoml("models", "push", "-f", model).stdout


def test_m15_a_model_is_pulled_by_tag_and_by_name(cloud, bentoml, model, tmp_path):
    bentoml("models", "push", model)
    for number, wanted in enumerate((model, model.partition(":")[0])):
        home = elsewhere(cloud, tmp_path / f"other{number}", "models", "pull", wanted)
        weights = home / "models" / model.replace(":", "/") / "weights.txt"
        assert weights.read_text() == f"weights of {model.partition(':')[0]}"


# Lists of the SDK


def test_b16_m16_the_sdk_lists_bentos_and_models_newest_first(sdk, bentoml, bento, model):
    bentoml("push", bento)
    said = sdk(
        "import json\n"
        "from bentoml._internal.configuration.containers import BentoMLContainer as container\n"
        "client = container.bentocloud_client.get()\n"
        "bentos = client.bento.list().items\n"
        "models = client.model.list().items\n"
        "for items in (bentos, models):\n"
        "    print(json.dumps([f'{item.repository.name}:{item.version}' for item in items]))\n"
    )
    bentos, models = (json.loads(line) for line in said.splitlines()[-2:])
    assert bentos[0] == bento
    assert models[0] == model


def test_m15_versions_are_listed_newest_first_and_in_pages(cloud, bentoml, model):
    bentoml("models", "push", model)
    name = model.partition(":")[0]
    newer = cloud.run("-c", MODEL, name, "newer").stdout.split()[-1]
    bentoml("models", "push", newer)
    versions = f"/api/v1/model_repositories/{name}/models"
    page = cloud.http.get(versions, params={"start": 0, "count": 10, "q": ""}).raise_for_status().json()
    assert [item["version"] for item in page["items"]] == [newer.split(":")[1], model.split(":")[1]]
    second = cloud.http.get(versions, params={"start": 1, "count": 1}).json()
    assert [item["version"] for item in second["items"]] == [model.split(":")[1]]
    assert second["total"] == 2


# What other clouds keep to themselves


def test_b10_to_b13_an_archive_is_uploaded_in_parts(embedded):
    http = embedded.http
    name = f"raw{uuid.uuid4().hex[:8]}"
    http.post("/api/v1/bento_repositories", json={"name": name, "description": ""}).raise_for_status()
    manifest = {"service": "s:S", "bentoml_version": "1.4.39", "size_bytes": 1}
    body = {"version": "v1", "description": "", "manifest": manifest, "labels": []}
    http.post(f"/api/v1/bento_repositories/{name}/bentos", json=body).raise_for_status()
    path, target = f"/api/v1/bento_repositories/{name}/bentos/v1", io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:") as tar:
        tar.addfile(tarfile.TarInfo("./bento.yaml"))
    whole = target.getvalue()
    upload = http.patch(f"{path}/start_multipart_upload").raise_for_status().json()["upload_id"]
    assert upload
    parts = []
    for number, piece in enumerate((whole[:5000], whole[5000:]), start=1):
        wanted = {"upload_id": upload, "part_number": number}
        url = http.patch(f"{path}/presign_multipart_upload_url", json=wanted).json()["presigned_upload_url"]
        put = httpx.put(url, content=piece, trust_env=False)
        assert put.status_code == 200
        parts.append({"part_number": number, "etag": put.headers["ETag"]})
    done = http.patch(f"{path}/complete_multipart_upload", json={"parts": parts, "upload_id": upload})
    assert done.status_code == 200
    finished = http.patch(f"{path}/finish_upload", json={"status": "success", "reason": ""})
    assert finished.raise_for_status().json()["upload_status"] == "success"
    assert http.get(f"{path}/download").content == whole


def test_a_bento_and_a_model_are_deleted_when_nobody_needs_them(embedded, bentoml, bento, model):
    bentoml("push", bento)
    assert embedded.http.delete(f"/api/bj/v1/models/{model.replace(':', '/')}").status_code == 409
    assert embedded.http.delete(f"/api/bj/v1/bentos/{bento.replace(':', '/')}").status_code == 200
    assert embedded.http.delete(f"/api/bj/v1/models/{model.replace(':', '/')}").status_code == 200
    assert embedded.http.get(bento_path(bento)).status_code == 404
