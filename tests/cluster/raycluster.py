"""A Ray cluster on machines of its own, which are killed, unplugged and started again."""

from __future__ import annotations

import contextlib
import signal
from pathlib import Path

import httpx
import psutil
from machines import Machine, Network
from realcloud import eventually

__all__ = ["TOKEN", "RayCluster"]

TOKEN = "cluster-token-of-the-tests-0123456789abcdef"
#: Room of each node; what is pretended costs nothing.
CPUS, MEMORY, GPUS = 2, 16 * 2**30, 2
#: The smallest that Ray takes.
OBJECTS = 80_000_000


class RayCluster:
    """A head and some nodes; the last one pretends to have GPUs.

    Args:
        network: Where its machines are.
        nodes: How many nodes.
        python: A Python that has Ray.
    """

    def __init__(self, network: Network, nodes: int, python: Path) -> None:
        self.network = network
        self.head = network.add("head")
        self.nodes = [network.add(f"node{number}") for number in range(1, nodes + 1)]
        self._python = python
        self._http = httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10, trust_env=False
        )
        self.start_head()
        for node in self.nodes:
            self.start_node(node)
        self.until_alive(*self.nodes)

    @property
    def url(self) -> str:
        """Of its dashboard."""
        return f"http://{self.head.address}:8265"

    def start_head(self) -> None:
        """Start the head, which keeps what it knows on its disk."""
        kept = self.head.folder / "gcs"
        kept.mkdir(exist_ok=True)
        self._ray(
            self.head,
            *("--head", "--port=6379", "--num-cpus=0", "--dashboard-host=0.0.0.0"),
            environment={"RAY_gcs_storage": "rocksdb", "RAY_gcs_storage_path": str(kept)},
        )
        eventually(self._answers, 90)

    def start_node(self, node: Machine) -> None:
        """Start Ray on a node; it need not be known to the head yet."""
        gpus = GPUS if node is self.nodes[-1] else 0
        self._ray(
            node,
            f"--address={self.head.address}:6379",
            *(f"--num-cpus={CPUS}", f"--memory={MEMORY}", f"--num-gpus={gpus}"),
        )

    def alive(self) -> set[str]:
        """Names of the machines that Ray believes to be alive."""
        answer = self._http.get("/api/v0/nodes", params={"detail": "1"}).raise_for_status()
        rows = answer.json()["data"]["result"]["result"]
        return {row["node_name"] for row in rows if row["state"] == "ALIVE"}

    def until_alive(self, *machines: Machine) -> None:
        """Wait until Ray knows these."""
        eventually(lambda: {each.name for each in machines} <= self.alive(), 120)

    def kill_raylet(self, machine: Machine) -> None:
        """Ray's own process on a node ends by force."""
        for process in machine.processes("raylet/raylet"):
            process.send_signal(signal.SIGKILL)

    def kill_head(self) -> None:
        """All of Ray on the head ends by force."""
        kill_all(self.head)

    def instances(self, machine: Machine) -> list[psutil.Process]:
        """The instances on a machine, and all that runs for them."""
        return [
            process
            for word in ("replica.py", "ray_nodes.runner", "ray::Supervisor")
            for process in machine.processes(word)
        ]

    def mend(self, machine: Machine) -> None:
        """Whatever happened to a node: it is in the cluster again."""
        if machine.is_on:
            machine.plug_in()
            kill_all(machine)
        else:
            machine.switch_on()
        eventually(lambda: machine.name not in self.alive(), 120)
        self.start_node(machine)
        self.until_alive(machine)

    def _answers(self) -> bool:
        try:
            return self._http.get("/api/version").is_success
        except httpx.TransportError:
            return False

    def _ray(self, machine: Machine, *options: str, environment: dict[str, str] | None = None) -> None:
        machine.start(
            *(str(self._python), "-m", "ray.scripts.scripts", "start", "--block", "--disable-usage-stats"),
            *(f"--node-ip-address={machine.address}", f"--node-name={machine.name}"),
            *(f"--object-store-memory={OBJECTS}", "--include-log-monitor=false", *options),
            environment={
                "RAY_AUTH_MODE": "token",
                "RAY_AUTH_TOKEN": TOKEN,
                "BENTO_JUPYTER_NODE_COPY": "1",
                "BENTO_JUPYTER_NODE_STORE": str(machine.folder / "store"),
                **(environment or {}),
            },
        )


def kill_all(machine: Machine) -> None:
    """All that runs on a machine ends by force."""
    for process in machine.processes():
        with contextlib.suppress(psutil.Error):  # it has gone with another one
            process.kill()
