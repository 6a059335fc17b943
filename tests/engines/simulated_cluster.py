"""An engine of many nodes that are not there: the real controller places instances on it, which answer.

What an instance costs a machine is left out, so what is measured is what the control plane costs. All
instances answer at one Unix socket, in this process.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Collection
from pathlib import Path

from bento_jupyter.cloud.engines import Node, Phase, ReplicaSpec, ReplicaState
from bento_jupyter.errors import ReplicaStartError
from bento_jupyter.spec import utc_now
from bento_jupyter.views import ColdStart, ZygoteView

__all__ = ["SimulatedCluster", "SimulatedInstance"]

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n1"


class SimulatedInstance:
    """An instance on one of the nodes, or one that waits for room; see `ReplicaHandle`."""

    def __init__(self, spec: ReplicaSpec, socket: Path, cluster: SimulatedCluster) -> None:
        self.spec = spec
        self.node = ""
        self._socket = socket
        self._cluster = cluster
        self._started_at = utc_now()
        loop = asyncio.get_running_loop()
        self._ready: asyncio.Future[None] = loop.create_future()
        self._end: asyncio.Future[str] = loop.create_future()

    @property
    def socket(self) -> Path:
        return self._socket

    @property
    def is_over(self) -> bool:
        """It has ended, for whatever reason."""
        return self._end.done()

    def observe(self) -> ReplicaState:
        phase = Phase.READY if self._ready.done() else Phase.STARTING if self.node else Phase.PENDING
        return ReplicaState(
            id=self.spec.id,
            deployment=self.spec.deployment,
            node=self.node,
            phase=Phase.ENDED if self.is_over else phase,
            reason=self._end.result() if self.is_over else "" if self.node else "no node has room",
            started_at=self._started_at,
        )

    def place(self, node: str) -> None:
        """It starts on a node."""
        self.node = node
        asyncio.get_running_loop().call_later(self._cluster.start_seconds, self._begin)

    async def ready(self) -> ColdStart:
        await asyncio.wait([self._ready, self._end], return_when=asyncio.FIRST_COMPLETED)
        if self.is_over:
            raise ReplicaStartError(self._end.result())
        seconds = self._cluster.start_seconds
        return ColdStart(at=self._started_at, seconds=seconds, phases={"ready": seconds})

    async def ended(self) -> str:
        return await asyncio.shield(self._end)

    async def stop(self, grace: float) -> None:
        if self._cluster.forget(self):
            self._cluster.stopping(self.spec)
            self.end("it was stopped")

    def end(self, reason: str) -> None:
        """It ends, by itself or by force."""
        if not self._end.done():
            self._end.set_result(reason)

    def _begin(self) -> None:
        if not (self._ready.done() or self._end.done()):
            self._ready.set_result(None)


class SimulatedCluster:
    """See `Engine`: each instance goes to the node with the most free CPUs.

    Args:
        folder: For socket and logs.
        nodes: How many there are.
        cpus: CPUs of each.
        start_seconds: Seconds until an instance answers.

    Attributes:
        starting: Called with the description of each instance that is to start.
        stopping: The same for each that is to stop.
    """

    def __init__(self, folder: Path, nodes: int = 200, cpus: float = 32, start_seconds: float = 0.05) -> None:
        self.start_seconds = start_seconds
        self.starting: Callable[[ReplicaSpec], None] = lambda spec: None
        self.stopping: Callable[[ReplicaSpec], None] = lambda spec: None
        self._folder = folder
        self._cpus = cpus
        self._free = {f"node-{number:03}": cpus for number in range(nodes)}
        self._instances: dict[str, SimulatedInstance] = {}
        self._waiting: list[SimulatedInstance] = []
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(asyncio.IncompleteReadError):
                while await reader.readuntil(b"\r\n\r\n"):  # what is asked has no body
                    writer.write(ANSWER)
            writer.close()

        self._server = await asyncio.start_unix_server(serve, self._socket, backlog=1000)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()

    def capacity(self) -> list[Node]:
        return [Node(name=name, cpus=self._cpus, memory_bytes=2**36) for name in self._free]

    async def start(self, spec: ReplicaSpec) -> SimulatedInstance:
        self.starting(spec)
        instance = self._instances[spec.id] = SimulatedInstance(spec, self._socket, self)
        self._waiting.append(instance)
        self._place()
        return instance

    def observe(self) -> list[ReplicaState]:
        return [each.observe() for each in self._instances.values()]

    def logs(self, deployment: str = "") -> Path:
        return self._folder / "logs" / deployment

    def prepare(self, name: str, spec: ReplicaSpec) -> None: ...

    def release(self, name: str) -> None: ...

    def prepared(self) -> list[ZygoteView]:
        return []

    def forget(self, instance: SimulatedInstance) -> bool:
        """Give its room to others; False when that has been done."""
        if self._instances.pop(instance.spec.id, None) is None:
            return False
        if instance.node in self._free:
            self._free[instance.node] += instance.spec.cpu
        if instance in self._waiting:
            self._waiting.remove(instance)
        self._place()
        return True

    def kill(self, deployment: str) -> None:
        """Instances of a deployment are killed."""
        for each in list(self._instances.values()):
            if each.spec.deployment == deployment:
                each.end("it was killed")

    def lose_node(self, sparing: Collection[str] = ()) -> list[str]:
        """A node goes with all its instances; gives their deployments.

        Args:
            sparing: Deployments that do not count when the node with the most instances is looked for.
        """
        held = Counter(each.node for each in self._instances.values() if each.spec.deployment not in sparing)
        [(lost, _)] = held.most_common(1)
        del self._free[lost]
        gone = [each for each in self._instances.values() if each.node == lost]
        for each in gone:
            each.end(f"node {lost} is gone")
        return [each.spec.deployment for each in gone]

    @property
    def _socket(self) -> Path:
        return self._folder / "instances.sock"

    def _place(self) -> None:
        while self._waiting:
            node = max(self._free, key=lambda name: self._free[name])
            instance = self._waiting[0]
            if self._free[node] < instance.spec.cpu:
                return
            self._waiting.pop(0)
            self._free[node] -= instance.spec.cpu
            instance.place(node)
