"""Row D8 of the contract, and what else `bentoml code` needs: the real command under a terminal."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import threading
import time
from pathlib import Path

import httpx
import pexpect
import pytest

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
        deadline = time.monotonic() + seconds
        while self.text.find(text, self._at) < 0:
            assert time.monotonic() < deadline, f"{text!r} is not in {self.text[self._at :][-3000:]}"
            time.sleep(0.05)
        self._at = self.text.find(text, self._at) + len(text)

    def type(self, text: str) -> None:
        self.child.send(text)

    def close(self) -> None:
        self.child.close(force=True)
        self._reader.join(5)


@pytest.fixture
def code(cloud, project):
    """`bentoml code` in a terminal."""
    environment = {**cloud.environment, "LINES": "50", "TERM": "xterm", "PYTHONUNBUFFERED": "1"}
    terminal = Terminal([sys.executable, "-m", "bentoml", "code", "."], project, environment)
    yield terminal
    terminal.close()


def said(url: str) -> str | None:
    try:
        answer = httpx.post(f"{url}/word", json={}, timeout=30, trust_env=False)
    except httpx.TransportError:
        return None
    return answer.text if answer.status_code == 200 else f"{answer.status_code} {answer.text}"


def test_bentoml_code_keeps_a_codespace_in_step_with_a_folder(
    cloud, bentoml, code, project, name, status, eventually
):
    code.shows("Create a new codespace")
    code.type("\r")
    code.shows("Enter a name for the new codespace")
    code.type(f"{name}\r")
    code.shows(f"/codespaces/{name}")
    code.shows("Endpoint")
    url = status(name, "running")["urls"][0]
    assert said(url) == "first"
    code.shows("asked for the word \u00e4\u20ac")

    (project / "service.py").write_text(SOURCE.format(word="second"))
    eventually(lambda: said(url) == "second", 60)
    broken = SOURCE.format(word="broken").replace(
        "    @bentoml.api",
        "    def __init__(self):\n        raise RuntimeError('no luck')\n\n    @bentoml.api",
    )
    (project / "service.py").write_text(broken)
    code.shows("no luck")
    assert status(name, "deploying"), "the client leaves a codespace alone that has failed"
    assert said(url) == "second", "what worked goes on answering"
    (project / "service.py").write_text(SOURCE.format(word="third"))
    eventually(lambda: said(url) == "third", 90)

    def files() -> dict[str, dict]:
        listed = cloud.http.get(f"/api/v2/deployments/{name}/files").raise_for_status().json()["files"]
        return {file["path"]: file for file in listed}

    assert {"service.py", "bentofile.yaml", "data/a.txt", "requirements.txt"} <= set(files())
    content = (project / "service.py").read_bytes()
    assert files()["service.py"]["md5"] == hashlib.md5(content).hexdigest()
    (project / "data" / "a.txt").unlink()
    eventually(lambda: "data/a.txt" not in files(), 30)
    code.type("\x03")
    code.shows("Watcher stopped")
    row = cloud.http.get("/api/v2/deployments", params={"q": "is:dev"}).json()["items"][0]
    assert (row["name"], row["manifest"]["dev"]) == (name, True)
    bentoml("deployment", "delete", name)
    if cloud.home is not None:
        eventually(lambda: not os.listdir(cloud.home / "cloud" / "codespaces"), 30)


def test_a_codespace_has_the_models_envs_and_services_of_its_bento(code, sdk, project, name, status):
    sdk(
        "import bentoml\n"
        "with bentoml.models.create('words-of-code') as model:\n"
        "    open(model.path_of('word.txt'), 'w').write('kept')\n"
    )
    (project / "service.py").write_text(
        "import os\nimport bentoml\n\n"
        "@bentoml.service\nclass Back:\n"
        "    words = bentoml.models.BentoModel('words-of-code:latest')\n\n"
        "    @bentoml.api\n    def read(self) -> str:\n"
        "        return open(self.words.path_of('word.txt')).read()\n\n"
        "@bentoml.service(envs=[{'name': 'GREETING', 'value': 'hello'}])\nclass Live:\n"
        "    back = bentoml.depends(Back)\n\n"
        "    @bentoml.api\n    def word(self) -> str:\n"
        "        return os.environ['GREETING'] + ' ' + self.back.read()\n"
    )
    code.shows("Create a new codespace")
    code.type("\r")
    code.shows("Enter a name for the new codespace")
    code.type(f"{name}\r")
    code.shows("Endpoint")
    assert said(status(name, "running")["urls"][0]) == "hello kept"
