"""An embedded cloud whose instances run in containers, used by the `bento-jupyter` command."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import boxes
import httpx
from realcloud import RealCloud

__all__ = ["BoxedCloud"]


class BoxedCloud(RealCloud):
    """See `RealCloud`; podman is the tests' own."""

    def run(self, *words: str, fails: bool = False) -> str:
        """Run a `bento-jupyter` command; what it says."""
        done = subprocess.run(
            [sys.executable, "-m", "bento_jupyter.cli", *words],
            env={**self.environment, "COLUMNS": "200"},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert bool(done.returncode) is fails, done.stdout + done.stderr
        return done.stdout + done.stderr

    def call(self, name: str, path: str, **body: object) -> Any:
        """Call a deployment's endpoint."""
        answer = httpx.post(f"{self.view(name).url}/{path}", json=body, timeout=120, trust_env=False)
        answer.raise_for_status()
        return answer.json() if answer.headers["content-type"] == "application/json" else answer.text

    def happenings(self, name: str) -> str:
        """What the cloud has told of a deployment."""
        with self.api as api:
            return api.get(f"/api/bj/v1/deployments/{name}/events").text

    def containers(self) -> list[str]:
        """Ids of the containers of this cloud, running or not."""
        label = f"label=bento-jupyter.home={self.home.root}"
        return boxes.ask("podman", "ps", "--all", "--quiet", "--filter", label).split()

    def inspected(self, form: str) -> list[str]:
        """What podman knows of each container."""
        return boxes.ask("podman", "inspect", "--format", form, *self.containers()).split()
