"""A registry of images on this machine, which asks for a password."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
from pathlib import Path
from types import TracebackType

import boxes
import httpx
from realcloud import eventually

__all__ = ["Registry"]

CONFIGURATION = """
version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {folder}/images}}}}
http: {{addr: "{address}"}}
auth: {{htpasswd: {{realm: tests, path: {folder}/htpasswd}}}}
"""
USER = "tester"


class Registry:
    """Debian's `docker-registry`, while it is entered.

    Args:
        folder: Everything is below it.

    Attributes:
        address: `host:port`.
    """

    #: Nobody else's: what it guards is gone with the test.
    PASSWORD = "let-me-in-please"
    #: bcrypt of it.
    HASH = "$2b$04$GUf3t6wQ3fcuvJ1Aj.atRudK/UBmAL1m4kSQLJ8qUFe9bEkDJTJHm"

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.address = f"127.0.0.1:{listener.getsockname()[1]}"
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Registry:
        (self._folder / "htpasswd").write_text(f"{USER}:{self.HASH}\n")
        file = self._folder / "registry.yml"
        file.write_text(CONFIGURATION.format(folder=self._folder, address=self.address))
        # It takes what is meant for podman, REGISTRY_AUTH_FILE, for a setting of its own.
        envs = {name: value for name, value in os.environ.items() if not name.startswith("REGISTRY_")}
        self._process = subprocess.Popen(["docker-registry", "serve", str(file)], env=envs)
        eventually(self._answers)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def log_in(self) -> None:
        """Give podman the password, as the user would."""
        boxes.ask(
            *("podman", "login", "--tls-verify=false", "--username", USER, "--password", self.PASSWORD),
            self.address,
        )

    def log_in_docker(self, folder: Path) -> None:
        """Leave behind what `docker login` does; podman's socket logs in where there is TLS only.

        Args:
            folder: The one at `DOCKER_CONFIG`.
        """
        login = {"auth": base64.b64encode(f"{USER}:{self.PASSWORD}".encode()).decode()}
        (folder / "config.json").write_text(json.dumps({"auths": {self.address: login}}))

    def _answers(self) -> bool:
        try:
            return httpx.get(f"http://{self.address}/v2/", trust_env=False).status_code == 401
        except httpx.TransportError:
            return False
