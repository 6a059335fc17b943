"""An embedded cloud in a process of its own, and the unmodified `bentoml` client, for tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from bento_jupyter.home import Home

REPOSITORY = Path(__file__).parents[2]

SERVICE = """
import os
import bentoml

@bentoml.service(envs=[{"name": "GREETING", "value": "hello"}])
class Greeter:
    words = bentoml.models.BentoModel("words:latest")

    @bentoml.api
    def greet(self, name: str) -> str:
        with open(self.words.path_of("word.txt")) as file:
            return f"{os.environ['GREETING']} {file.read()} {name}"
"""

BUILD = """
import bentoml
with bentoml.models.create("words") as model:
    open(model.path_of("word.txt"), "w").write("dear")
bento = bentoml.bentos.build(
    "service:Greeter", name="greeter", include=["service.py"], python={"lock_packages": False}
)
print(bento.tag)
"""


def clean_environment(**more: str) -> dict[str, str]:
    """This process's environment without what would lead a client or a cloud elsewhere."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("BENTO")}
    return {
        **kept,
        "PYTHONPATH": str(REPOSITORY),
        "BENTOML_DO_NOT_TRACK": "True",
        "NO_PROXY": "127.0.0.1",
        **more,
    }


def wait_for(condition: Callable[[], object], seconds: float = 30) -> object:
    """What `condition` gives as soon as that is true; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"did not happen in {seconds} s"
        time.sleep(0.05)
    return found


@dataclass
class RunningCloud:
    """An embedded cloud that runs, and how to speak to it."""

    home: Home
    process: subprocess.Popen[bytes]
    endpoint: str
    token: str
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(
            base_url=self.endpoint, headers={"X-YATAI-API-TOKEN": self.token}, timeout=30, trust_env=False
        )

    def view(self, deployment: str) -> dict:
        return self.http.get(f"/api/bj/v1/deployments/{deployment}").raise_for_status().json()

    def wait_until(self, deployment: str, *statuses: str, seconds: float = 60) -> dict:
        """Wait until a deployment has one of these statuses."""
        return wait_for(lambda: (view := self.view(deployment))["status"] in statuses and view, seconds)

    def log(self) -> str:
        return (self.home.logs / "cloud.log").read_text()

    def stop(self, signal_number: int = signal.SIGTERM) -> int:
        """Stop it and give its exit code."""
        self.http.close()
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
        return self.process.wait(timeout=30)


@dataclass
class Client:
    """The `bentoml` CLI with a home of its own."""

    home: Path

    def __call__(
        self, *words: str, check: bool = True, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run `bentoml <words>`."""
        return self._run([sys.executable, "-m", "bentoml", *words], check=check, environment=environment)

    def python(self, code: str, cwd: Path | None = None) -> str:
        """Run Python code with this home; gives what it prints."""
        return self._run([sys.executable, "-c", code], cwd=cwd).stdout.strip()

    def _run(
        self,
        command: list[str],
        cwd: Path | None = None,
        check: bool = True,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command,
            cwd=cwd,
            env=clean_environment(BENTOML_HOME=str(self.home), COLUMNS="200", **(environment or {})),
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert not check or done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done


def run_cloud(home: Home, **environment: str) -> RunningCloud:
    """Start an embedded cloud for `home`; it answers when this returns."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bento_jupyter.cloud", "--home", str(home.root)],
        env=clean_environment(**environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )

    def is_up() -> bool:
        if process.poll() is not None:
            raise AssertionError(f"ended with {process.returncode}: {process.stderr.read().decode()}")
        state = home.read_state()
        return state is not None and state.pid == process.pid

    try:
        wait_for(is_up)
    except BaseException:
        process.kill()
        raise
    state = home.read_state()
    assert state is not None
    return RunningCloud(home, process, state.endpoint, state.token)
