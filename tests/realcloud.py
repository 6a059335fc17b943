"""A real embedded cloud with a tiny real Bento, for the tests of the faces."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import httpx

from bento_jupyter.client import embedded
from bento_jupyter.home import CloudState, Home
from bento_jupyter.spec import DeploymentSpec
from bento_jupyter.views import DeploymentView

SERVICE = """
import bentoml
from starlette.applications import Starlette
from starlette.responses import RedirectResponse, StreamingResponse
from starlette.routing import Route


async def begun():
    yield b"begun"
    raise RuntimeError("it breaks off")


pages = Starlette(
    routes=[
        Route("/near", lambda _: RedirectResponse("/echo?q=1#top")),
        Route("/far", lambda _: RedirectResponse("https://elsewhere.example/x")),
        Route("/broken", lambda _: StreamingResponse(begun())),
    ]
)


@bentoml.asgi_app(pages, path="/pages")
@bentoml.service
class Echo:
    @bentoml.api
    def echo(self, text: str) -> str:
        print(f"echo was asked for {text}", flush=True)
        return text.upper()
"""

T = TypeVar("T")


def eventually(look: Callable[[], T], timeout: float = 60.0) -> T:
    """The first true value of `look`, which is tried again for `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = look()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {timeout:g} s; last: {value!r}"
        time.sleep(0.05)


def free_port() -> int:
    """A port that nobody has right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RealCloud:
    """One embedded cloud in a folder of its own, used as a user does: by the `bentoml` command.

    Args:
        folder: Everything is below it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = Home(folder / "home")

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables for processes that use this cloud."""
        dropped = ("BENTO_CLOUD_API_KEY", "BENTO_CLOUD_API_ENDPOINT", "PYTHONDONTWRITEBYTECODE")
        return {
            **{key: value for key, value in os.environ.items() if key not in dropped},
            "BENTO_JUPYTER_HOME": str(self.home.root),
            "BENTOML_HOME": str(self.folder / "bentoml"),
            "BENTOML_DO_NOT_TRACK": "True",
        }

    @property
    def state(self) -> CloudState:
        """What the running cloud says about itself."""
        state = self.home.read_state()
        assert state is not None, "the cloud does not run"
        return state

    def start(self) -> None:
        """Start it unless it runs."""
        embedded.start(self.home)

    def stop(self) -> None:
        """Stop it with everything it runs."""
        embedded.stop(self.home)

    def kill(self) -> None:
        """End it as a crash would."""
        pid = self.state.pid
        os.kill(pid, signal.SIGKILL)

    def bentoml(self, *words: str) -> str:
        """Run the `bentoml` command against this cloud; its output."""
        environment = {
            **self.environment,
            "BENTO_CLOUD_API_KEY": self.state.token,
            "BENTO_CLOUD_API_ENDPOINT": self.state.endpoint,
        }
        done = subprocess.run(
            [sys.executable, "-m", "bentoml", *words],
            env=environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def push_echo(self) -> None:
        """Build and push the Bento `echo:v1`."""
        project = self.folder / "project"
        project.mkdir(parents=True)
        (project / "service.py").write_text(SERVICE)
        self.bentoml("build", "--name", "echo", "--version", "v1", str(project))
        self.bentoml("push", "echo:v1")

    def create(self, name: str, *options: str) -> None:
        """Create a deployment of `echo:v1`, and do not wait for it."""
        self.bentoml("deployment", "create", "echo:v1", "-n", name, "--no-wait", *options)

    @property
    def api(self) -> httpx.Client:
        """The control plane, as the owner."""
        headers = {"X-YATAI-API-TOKEN": self.state.token}
        return httpx.Client(base_url=self.state.endpoint, headers=headers, timeout=60, trust_env=False)

    def create_many(self, names: Iterable[str]) -> None:
        """Create on-demand deployments of `echo:v1` without a process for each, and do not wait for them."""
        with self.api as api:
            for name in names:
                spec = DeploymentSpec(name=name, bento="echo:v1", mode="on-demand")
                api.post("/api/v2/deployments", json=spec.to_wire("Echo")).raise_for_status()

    def delete_many(self, names: Iterable[str]) -> None:
        """Terminate and delete deployments without a process for each."""
        with self.api as api:
            for name in names:
                api.post(f"/api/v2/deployments/{name}/terminate").raise_for_status()
                api.delete(f"/api/v2/deployments/{name}").raise_for_status()

    def view(self, name: str) -> DeploymentView:
        """A deployment as the cloud itself shows it."""
        answer = httpx.get(
            f"{self.state.endpoint}/api/bj/v1/deployments/{name}",
            headers={"X-YATAI-API-TOKEN": self.state.token},
            trust_env=False,
        )
        answer.raise_for_status()
        return DeploymentView.model_validate_json(answer.content)

    def views(self) -> list[DeploymentView]:
        """All deployments as the cloud itself shows them."""
        answer = httpx.get(
            f"{self.state.endpoint}/api/bj/v1/deployments",
            headers={"X-YATAI-API-TOKEN": self.state.token},
            trust_env=False,
        )
        answer.raise_for_status()
        return [DeploymentView.model_validate(item) for item in answer.json()["deployments"]]

    def wait(self, name: str, status: str) -> DeploymentView:
        """Wait until a deployment has a status."""
        return eventually(lambda: view if (view := self.view(name)).status == status else None)
