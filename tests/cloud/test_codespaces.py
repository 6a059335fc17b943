"""Codespaces: the real `bentoml code` under a terminal, and the files that it sends."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import sys
import threading
from pathlib import Path

import httpx
import pexpect
import pytest
from running_cloud import clean_environment, wait_for

SOURCE = """
import bentoml

@bentoml.service
class Live:
    @bentoml.api
    def word(self) -> str:
        print("asked for the word \\u00e4\\u20ac", flush=True)
        return "{word}"
"""

BENTOFILE = """
service: service:Live
include: ["service.py", "data/*.txt"]
python:
  lock_packages: false
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "data").mkdir(parents=True)
    (folder / "service.py").write_text(SOURCE.format(word="first"))
    (folder / "bentofile.yaml").write_text(BENTOFILE)
    (folder / "data" / "a.txt").write_text("a")
    return folder


class Terminal:
    """A program in a terminal that somebody reads all the time; one that is full would stop it."""

    def __init__(self, command: list[str], folder: Path, environment: dict[str, str]) -> None:
        self.child = pexpect.spawn(
            command[0],
            command[1:],
            cwd=folder,
            env=environment,
            encoding="utf-8",
            dimensions=(50, 200),
        )
        self.text = ""
        self._at = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with contextlib.suppress(pexpect.EOF, OSError, ValueError):
            while True:
                with contextlib.suppress(pexpect.TIMEOUT):
                    self.text += self.child.read_nonblocking(4096, timeout=1)

    def shows(self, text: str, seconds: float = 90) -> None:
        """Wait until a text was shown, and go on behind it."""
        try:
            wait_for(lambda: self.text.find(text, self._at) >= 0, seconds)
        except AssertionError:
            raise AssertionError(f"{text!r} is not in {self.text[self._at :][-3000:]}") from None
        self._at = self.text.find(text, self._at) + len(text)

    def type(self, text: str) -> None:
        self.child.send(text)

    def close(self) -> None:
        self.child.close(force=True)
        self._reader.join(5)


@pytest.fixture
def code(bentoml, project):
    """`bentoml code` in a terminal."""
    environment = clean_environment(
        BENTOML_HOME=str(bentoml.home), COLUMNS="200", LINES="50", TERM="xterm", PYTHONUNBUFFERED="1"
    )
    terminal = Terminal([sys.executable, "-m", "bentoml", "code", "."], project, environment)
    yield terminal
    terminal.close()


def said(url: str) -> str | None:
    try:
        answer = httpx.post(f"{url}/word", json={}, timeout=30, trust_env=False)
    except httpx.TransportError:
        return None
    return answer.text if answer.status_code == 200 else f"{answer.status_code} {answer.text}"


def test_bentoml_code_keeps_a_codespace_in_step_with_a_folder(cloud, bentoml, code, project, deployment_name):
    code.shows("Create a new codespace")
    code.type("\r")
    code.shows("Enter a name for the new codespace")
    code.type(f"{deployment_name}\r")
    code.shows(f"/codespaces/{deployment_name}")
    code.shows("Endpoint")
    view = cloud.wait_until(deployment_name, "running", seconds=120)
    url = view["url"]
    assert said(url) == "first"
    code.shows("asked for the word \u00e4\u20ac")

    (project / "service.py").write_text(SOURCE.format(word="second"))
    wait_for(lambda: said(url) == "second", 60)
    broken = SOURCE.format(word="broken").replace(
        "    @bentoml.api",
        "    def __init__(self):\n        raise RuntimeError('no luck')\n\n    @bentoml.api",
    )
    (project / "service.py").write_text(broken)
    view = wait_for(lambda: "no luck" in (seen := cloud.view(deployment_name))["reason"] and seen, 60)
    assert view["status"] == "deploying", "the client leaves a codespace alone that has failed"
    assert said(url) == "second", "what worked goes on answering"
    (project / "service.py").write_text(SOURCE.format(word="third"))
    wait_for(lambda: said(url) == "third", 90)

    files = cloud.http.get(f"/api/v2/deployments/{deployment_name}/files").json()["files"]
    listed = {file["path"]: file for file in files}
    assert {"service.py", "bentofile.yaml", "data/a.txt", "requirements.txt"} <= set(listed)
    content = (project / "service.py").read_bytes()
    assert listed["service.py"]["md5"] == hashlib.md5(content).hexdigest()
    (project / "data" / "a.txt").unlink()
    wait_for(
        lambda: "data/a.txt" not in cloud.http.get(f"/api/v2/deployments/{deployment_name}/files").text,
        30,
    )
    assert json.loads(bentoml("deployment", "list", "-o", "json").stdout)
    code.type("\x03")
    code.shows("Watcher stopped")
    bentoml("deployment", "delete", deployment_name)
    wait_for(lambda: not list((cloud.home.cloud / "codespaces").iterdir()))


def send(cloud, name: str, **files: str):
    sent = [
        {"path": path, "b64_encoded_content": base64.b64encode(content.encode()).decode()}
        for path, content in files.items()
    ]
    return cloud.http.post(f"/api/v2/deployments/{name}/files", json={"files": sent})


@pytest.fixture
def codespace(cloud, deployment_name) -> str:
    """A codespace without files; nothing of it runs."""
    manifest = {"service": "service:Live", "bentoml_version": "1.4.39", "size_bytes": 0, "dev": True}
    repository = "/api/v1/bento_repositories"
    cloud.http.post(repository, json={"name": "described"})
    versions = f"{repository}/described/bentos"
    body = {
        "version": deployment_name,
        "manifest": {**manifest, "services": [{"name": "Live", "service": ""}]},
    }
    cloud.http.post(versions, json=body).raise_for_status()
    done = {"status": "success", "reason": "bento for development"}
    cloud.http.patch(f"{versions}/{deployment_name}/finish_upload", json=done).raise_for_status()
    tag = f"described:{deployment_name}"
    body = {"name": deployment_name, "bento": tag, "dev": True}
    cloud.http.post("/api/v2/deployments", json=body).raise_for_status()
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
