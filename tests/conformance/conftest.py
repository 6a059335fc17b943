"""The contract's conformance suite: a cloud started as a user starts it, and the unmodified `bentoml` client.

The same tests run against another cloud when the environment names one:

    BENTO_CONFORMANCE_ENDPOINT=https://... BENTO_CONFORMANCE_TOKEN=... python -m pytest tests/conformance

Tests of what only the embedded cloud can do ask for the fixture `embedded` and are skipped there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx
import pytest

REPOSITORY = Path(__file__).parents[2]
ENDPOINT = os.environ.get("BENTO_CONFORMANCE_ENDPOINT", "")
TOKEN = os.environ.get("BENTO_CONFORMANCE_TOKEN", "")

SERVICE = """
import hashlib
import os

import bentoml


@bentoml.service
class Echo:
    @bentoml.api
    def echo(self, text: str) -> str:
        print(f"echo was asked for {text}", flush=True)
        return text.upper()

    @bentoml.api
    def digest(self, name: str) -> str:
        return hashlib.sha256(os.environ.get(name, "").encode()).hexdigest()
"""

T = TypeVar("T")


@dataclass(frozen=True)
class Conformed:
    """The cloud under test.

    Attributes:
        endpoint: Base URL.
        token: A token that may do everything.
        bentoml_home: `BENTOML_HOME` of the client, which is logged in to it.
        home: `BENTO_JUPYTER_HOME` of the embedded cloud; None when another cloud is under test.
        http: For calls that the client has no command for; carries the token.
    """

    endpoint: str
    token: str
    bentoml_home: Path
    home: Path | None
    http: httpx.Client

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables of processes that use it as its user does."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BENTO")}
        kept.pop("PYTHONDONTWRITEBYTECODE", None)
        ours = {} if self.home is None else {"BENTO_JUPYTER_HOME": str(self.home)}
        return {
            **kept,
            **ours,
            "BENTOML_HOME": str(self.bentoml_home),
            "BENTOML_DO_NOT_TRACK": "True",
            "COLUMNS": "200",
            "NO_PROXY": "127.0.0.1,localhost",
            "PYTHONPATH": str(REPOSITORY),
        }

    def run(
        self, *words: str, check: bool = True, cwd: Path | None = None, stdin: str = "", timeout: float = 180
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of this interpreter (`-m bentoml ...`, `-c ...`)."""
        done = subprocess.run(
            [sys.executable, *words],
            cwd=cwd or self.bentoml_home,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert not check or done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
        return done


def eventually(look: Callable[[], T], timeout: float = 120.0) -> T:
    """The first true value of `look`, which is tried again for `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not (value := look()):
        assert time.monotonic() < deadline, f"not within {timeout:g} s; last: {value!r}"
        time.sleep(0.05)
    return value


@pytest.fixture(scope="session")
def cloud() -> Iterator[Conformed]:
    """The cloud under test, and the home of a client that is logged in to it."""
    folder = Path(tempfile.mkdtemp(prefix="conformance-"))  # short: Unix sockets are below it
    bentoml_home = folder / "bentoml"
    bentoml_home.mkdir()
    home = None if ENDPOINT else folder / "home"
    client = httpx.Client(timeout=60, trust_env=bool(ENDPOINT))
    found = Conformed(ENDPOINT, TOKEN, bentoml_home, home, client)
    try:
        if home is not None:
            found.run("-m", "bento_jupyter.cli", "cloud", "start")
            endpoint = found.run("-m", "bento_jupyter.cli", "cloud", "status").stdout
            token = (home / "token").read_text().strip()
            endpoint = next(word for word in endpoint.split() if word.startswith("http"))
            found = Conformed(endpoint.rstrip("/,;"), token, bentoml_home, home, client)
        client.base_url = httpx.URL(found.endpoint)
        client.headers["X-YATAI-API-TOKEN"] = found.token
        login = ("cloud", "login", "--endpoint", found.endpoint, "--api-token", found.token)
        found.run("-m", "bentoml", *login)
        yield found
    finally:
        client.close()
        if home is not None:
            found.run("-m", "bento_jupyter.cli", "cloud", "stop", check=False)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def embedded(cloud: Conformed) -> Conformed:
    """The cloud under test where it is the embedded one; other clouds skip the test."""
    if cloud.home is None:
        pytest.skip("only the embedded cloud does this")
    return cloud


@pytest.fixture(scope="session")
def bentoml(cloud: Conformed) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`bentoml(*words, check=True, cwd=None, stdin="")` runs the CLI, logged in to `cloud`."""

    def run(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
        return cloud.run("-m", "bentoml", *words, **options)  # type: ignore[arg-type]

    return run


@pytest.fixture(scope="session")
def sdk(cloud: Conformed) -> Callable[..., str]:
    """`sdk(code, **options)` runs Python code with the SDK, logged in to `cloud`; gives what it prints."""

    def run(code: str, **options: object) -> str:
        return cloud.run("-c", code, **options).stdout.strip()  # type: ignore[arg-type]

    return run


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project folder whose `service.py` has the service `Echo` (endpoints `echo` and `digest`)."""
    folder = tmp_path_factory.mktemp("echo-project")
    (folder / "service.py").write_text(SERVICE)
    (folder / "bentofile.yaml").write_text(
        "service: service:Echo\nname: echo\ninclude: [service.py]\npython: {lock_packages: false}\n"
    )
    return folder


@pytest.fixture(scope="session")
def echo(bentoml: Callable[..., subprocess.CompletedProcess[str]], project: Path) -> str:
    """Tag of the Bento of `project`; it is built and pushed."""
    version = f"v{uuid.uuid4().hex[:8]}"
    bentoml("build", "--version", version, cwd=project)
    bentoml("push", f"echo:{version}")
    return f"echo:{version}"


@pytest.fixture
def name(cloud: Conformed) -> Iterator[str]:
    """A name of this test's own; a deployment and a secret of that name are deleted at its end."""
    chosen = f"t-{uuid.uuid4().hex[:10]}"
    yield chosen
    cloud.http.delete(f"/api/v2/deployments/{chosen}")
    cloud.http.delete(f"/api/v1/org_secrets/{chosen}")


@pytest.fixture
def status(cloud: Conformed) -> Callable[..., dict]:
    """`status(name, *words)` waits until a deployment has one of these statuses; gives it as on the wire."""

    def wait(name: str, *words: str, timeout: float = 120.0) -> dict:
        def look() -> dict | None:
            found = cloud.http.get(f"/api/v2/deployments/{name}").raise_for_status().json()
            return found if found["status"] in words else None

        return eventually(look, timeout)

    return wait


@pytest.fixture(name="eventually")
def _eventually() -> Callable[..., object]:
    """`eventually(look, timeout=120)`: the first true value of `look`."""
    return eventually
