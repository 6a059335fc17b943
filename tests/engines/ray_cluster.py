"""A real Ray cluster on this machine: a head and two nodes, one of which pretends to have GPUs."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
from realcloud import free_port

from bento_jupyter.environments import prepare
from bento_jupyter.home import Home

__all__ = ["RAY", "RayCluster"]

RAY = "ray[default]==2.60.0"
#: Seconds that a node may take to start: on a busy machine Ray's own limit is short.
DEADLINE = 180
#: Ray's own processes are more than the tests: each node is told to be modest.
MODEST = ["--object-store-memory", "80000000", "--disable-usage-stats"]
GIBIBYTE = 2**30


@dataclass
class RayCluster:
    """Started by `start`, ended by `stop`.

    Attributes:
        python: Interpreter of the environment that it runs in.
        address: URL of its dashboard.
        token: Its token; "" = it wants none.
    """

    python: Path
    address: str
    token: str = ""
    _folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="bjr-", dir="/tmp")))
    _processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @classmethod
    def start(cls, home: Home, token: str = "", nodes: int = 2) -> RayCluster:
        """Start one; its environment is one like those of Bentos.

        Raises:
            EnvironmentBuildError: There is no Ray for this Python, or no way to get it.
        """
        python = prepare(home, RAY + "\n").python
        port, dashboard = free_port(), free_port()
        cluster = cls(python, f"http://127.0.0.1:{dashboard}", token)
        head = ["--head", "--port", str(port), "--dashboard-port", str(dashboard), "--num-cpus", "0"]
        try:
            cluster._run([*head, "--dashboard-host", "127.0.0.1", "--temp-dir", str(cluster._folder / "t")])
            cluster.wait_for(1)
            for number in range(nodes):
                gpus = ["--num-gpus", "3"] if number == nodes - 1 else []
                cluster.add_node(f"127.0.0.1:{port}", gpus)
                cluster.wait_for(2 + number)  # two that start at once on one machine may take the same ports
        except BaseException:
            cluster.stop()
            raise
        return cluster

    def add_node(self, head: str, options: list[str]) -> None:
        """Start another node."""
        size = ["--num-cpus", "6", "--memory", str(24 * GIBIBYTE)]
        self._run(["--address", head, *size, *options])

    def wait_for(self, count: int) -> None:
        """Wait until there are this many nodes."""
        deadline = time.monotonic() + DEADLINE
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        while True:
            try:
                answer = httpx.get(f"{self.address}/api/v0/nodes", headers=headers, trust_env=False)
                if sum(row["state"] == "ALIVE" for row in answer.json()["data"]["result"]["result"]) >= count:
                    return
            except (httpx.HTTPError, ValueError, KeyError, TypeError):
                pass
            assert time.monotonic() < deadline, (self._folder / "log").read_text(errors="replace")[-3000:]
            time.sleep(0.3)

    def stop(self) -> None:
        """End all its processes, also those that Ray renames and leaves behind."""
        below = [
            child
            for process in self._processes
            if process.poll() is None
            for child in psutil.Process(process.pid).children(recursive=True)
        ]
        for process in self._processes[::-1]:
            process.terminate()
        for process in self._processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=20)
        for child in below:
            with contextlib.suppress(psutil.Error):
                child.kill()
        for left in psutil.process_iter(["cmdline"]):  # one that was just starting does not end its children
            if any(str(self._folder) in word for word in left.info["cmdline"] or []):
                with contextlib.suppress(psutil.Error):
                    left.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, options: list[str]) -> None:
        # By default each node's own agent has the same port, as if it were alone on its machine.
        options = [*options, "--dashboard-agent-listen-port", str(free_port())]
        home = self._folder / "home"
        home.mkdir(exist_ok=True)
        envs = {
            "PATH": os.pathsep.join([str(self.python.parent), os.defpath]),
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "RAY_AUTH_MODE": "token" if self.token else "disabled",
            "RAY_raylet_start_wait_time_s": str(DEADLINE),
            "BENTO_JUPYTER_NODE_COPY": "1",
            **({"RAY_AUTH_TOKEN": self.token} if self.token else {}),
        }
        with (self._folder / "log").open("ab") as log:
            self._processes.append(
                subprocess.Popen(
                    [str(self.python.parent / "ray"), "start", "--block", *options, *MODEST],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=envs,
                    cwd=self._folder,
                    start_new_session=True,
                )
            )
