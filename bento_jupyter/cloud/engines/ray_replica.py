"""One instance on a node of a Ray cluster, as the control plane sees it."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from ...errors import ReplicaStartError
from ...launcher import log_tail
from ...spec import utc_now
from ...views import ColdStart
from ..gateway.upstream import UNDELIVERED
from .engine import Phase, ReplicaSpec, ReplicaState
from .memory import is_out_of_memory, start_without_memory
from .ray_nodes.wire import LET_IN, send, splice

__all__ = ["Cluster", "Link", "RayReplica"]

#: Seconds that an instance may take to start, from when it has its node.
START_TIMEOUT = 600.0
#: Seconds beyond its grace that an instance may take to be gone.
FAREWELL = 10.0
#: Seconds that answers of one that has ended may take to get through.
LAST_WORDS = 2.0
#: Seconds that a node may take to accept a connection.
CONNECT_TIMEOUT = 3.0


class Cluster(Protocol):
    """What an instance asks of its engine."""

    def token_of(self, name: str) -> str:
        """The token of the instance of this name."""

    def logs(self, deployment: str = "") -> Path:
        """Folder of the logs."""

    def node_name(self, node: str) -> str:
        """How a node is called."""

    def waits_for(self, replica: RayReplica) -> str:
        """Why an instance is on no node yet."""

    async def stopped(self, replica: RayReplica) -> None:
        """An instance is not wanted any more."""

    @property
    def tls(self) -> ssl.SSLContext | None:
        """How to connect to the door of an instance; None = without TLS."""


class Link:
    """The connection to the runner of an instance.

    Args:
        state: What the runner said last.
        writer: Where to answer.

    Attributes:
        over: It has ended.
    """

    def __init__(self, state: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        self.state = state
        self.writer = writer
        self.over = asyncio.Event()


class RayReplica:
    """One instance on a node; see `ReplicaHandle`.

    Args:
        spec: What to run.
        name: Its name on the cluster.
        path: Unix socket for the gateway.
        order: What its runner is told to do.
        engine: Whose it is.

    Attributes:
        token: What it shows here, and asks for at its door.
        log: Where what it writes is kept.
        begun: Time of the loop's clock when it was asked for.
        missed: Signs of life that should have come since the last one.
        asked: How often Ray was asked for another actor for it.
        avoided: Ids of the nodes that Ray was told to leave out.
        link: The connection to its runner; None = there is none now.
        state: What its runner said last; empty = it has none yet.
    """

    def __init__(
        self, spec: ReplicaSpec, name: str, path: Path, order: dict[str, Any], engine: Cluster
    ) -> None:
        self.spec = spec
        self.name = name
        self.token = engine.token_of(name)
        self.log = engine.logs(spec.deployment) / f"{spec.id}.log"
        self.missed = 0
        self.asked = 0
        self.avoided: set[str] = set()
        self.link: Link | None = None
        self.state: dict[str, Any] = {}
        self._engine = engine
        self._order = order
        self._path = path
        self._started_at: datetime = utc_now()
        self._loop = asyncio.get_running_loop()
        self.begun = self._loop.time()
        self._placing: float | None = None
        self._placed: asyncio.Future[None] = self._loop.create_future()
        self._reported: asyncio.Future[None] = self._loop.create_future()
        self._ended: asyncio.Future[str] = self._loop.create_future()
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.StreamWriter] = set()
        self._relays: set[asyncio.Task[None]] = set()
        #: Those of the relays of which the instance has seen nothing yet.
        self._knocking: set[asyncio.Task[None]] = set()
        self._enterable = asyncio.Event()
        self._stopping = False

    @property
    def socket(self) -> Path:
        """Unix socket on this machine that leads to it."""
        return self._path

    @property
    def actor(self) -> str:
        """Name of its actor."""
        return f"{self.name}+{self.asked}" if self.asked else self.name

    @property
    def has_ended(self) -> bool:
        """Whether it has ended."""
        return self._ended.done()

    @property
    def node(self) -> str:
        """Id of the node that it is on; "" = on none yet."""
        return str(self.state.get("node") or "")

    async def open(self) -> None:
        """Begin to take connections; they wait until there is somebody to take them."""
        self.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.log.touch(mode=0o600)
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._relay, path=str(self._path), backlog=2048)
        self._path.chmod(0o600)

    def observe(self) -> ReplicaState:
        """How it is now; see `ReplicaHandle.observe`."""
        phase, reason = Phase.STARTING, ""
        if self._ended.done():
            phase, reason = Phase.ENDED, self._ended.result()
        elif not self.state:
            phase, reason = Phase.PENDING, self._engine.waits_for(self)
        elif self.state["ready"]:
            phase = Phase.READY
        return ReplicaState(
            id=self.spec.id,
            deployment=self.spec.deployment,
            node=self._engine.node_name(self.node) if self.node else "",
            phase=phase,
            reason=reason,
            started_at=self._started_at,
            memory_bytes=self.state.get("memory"),
            cpu=self.state.get("cpu"),
            gpus=tuple(self.state.get("gpus") or ()),
        )

    async def ready(self) -> ColdStart:
        """Wait until it answers; see `ReplicaHandle.ready`."""
        await asyncio.shield(self._placed)
        try:
            await asyncio.wait_for(asyncio.shield(self._reported), START_TIMEOUT)
        except asyncio.TimeoutError:
            raise ReplicaStartError(f"not ready after {START_TIMEOUT:g} s", log=log_tail(self.log)) from None
        if not self.state.get("ready"):
            reason = str(self.state.get("error") or "") or await self.ended()
            if is_out_of_memory(reason):
                reason = start_without_memory(reason, self.spec.memory_bytes, self.spec.instance_type)
            traceback = str(self.state.get("traceback") or "")
            raise ReplicaStartError(reason, traceback=traceback, log=log_tail(self.log))
        phases = dict(self.state["phases"])
        if self._placing is not None:
            phases = {"placement": round(self._placing, 6), **phases}
        return ColdStart(at=self._started_at, seconds=round(sum(phases.values()), 6), phases=phases)

    async def ended(self) -> str:
        """Wait for its end; see `ReplicaHandle.ended`."""
        return await asyncio.shield(self._ended)

    async def stop(self, grace: float) -> None:
        """End it; see `ReplicaHandle.stop`."""
        if self._stopping:
            return
        self._stopping = True
        if self.link is not None:
            send(self.link.writer, {"op": "stop", "grace": grace})
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.link.over.wait(), grace + FAREWELL)
        self.end("it was stopped before it was started")
        if self._relays:
            await asyncio.wait(self._relays, timeout=LAST_WORDS)
        self.cut_off()
        await self._engine.stopped(self)

    def attach(self, link: Link) -> None:
        """Its runner has come forward."""
        if self._placing is None and not self.state:
            self._placing = self._loop.time() - self.begun
        self.link = link
        self.take(link.state)
        envs = {"CUDA_VISIBLE_DEVICES": "", **self._order["envs"]}
        if self.spec.gpus:
            envs["CUDA_VISIBLE_DEVICES"] = ",".join(link.state["gpus"])
        send(link.writer, {**self._order, "envs": envs})

    async def link_lost(self) -> bool:
        """The connection to its runner has ended; True when that was killed, else it comes again.

        One of a node that is silent counts as neither: that is noticed.
        """
        self.link = None
        if self._ended.done():
            return False
        try:
            door = asyncio.open_connection(
                str(self.state["host"]), int(self.state["door"]), ssl=self._engine.tls
            )
            _, writer = await asyncio.wait_for(door, CONNECT_TIMEOUT)
            writer.close()
        except ConnectionRefusedError:
            self.end(f"what held it on node {self._engine.node_name(self.node)} was killed")
            return True
        except (OSError, asyncio.TimeoutError):
            pass
        return False

    def take(self, state: dict[str, Any]) -> None:
        """Its runner says how it is."""
        self.state, self.missed = state, 0
        if not self._placed.done():
            self._placed.set_result(None)
        if (state["ready"] or state["error"] or state["ended"] is not None) and not self._reported.done():
            self._reported.set_result(None)
        if state["pid"]:
            self._enterable.set()
        if state["ended"] is not None:
            self.end(str(state["ended"]))

    def write_log(self, text: bytes) -> None:
        """What it has written."""
        with self.log.open("ab") as file:
            file.write(text)

    def end(self, reason: str) -> None:
        """It has ended: nobody is let in any more; what it has answered still gets through."""
        for future in (self._placed, self._reported):
            if not future.done():
                future.set_result(None)
        if not self._ended.done():
            self._ended.set_result(reason)
        self._enterable.set()
        self._let_nobody_in()

    def _let_nobody_in(self) -> None:
        """Refuse connections from now on, as the socket of a process that has ended does."""
        if self._server is not None:
            self._server.close()
            self._server = None
            self._path.unlink(missing_ok=True)

    def cut_off(self) -> None:
        """End what was asked of it, and do not wait for it: it is silent."""
        if self.link is not None:
            self.link.writer.transport.abort()
            self.link = None
        for relay in list(self._knocking):
            relay.cancel()
        for writer in list(self._connections):
            writer.transport.abort()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass a connection of the gateway on to the door of the instance."""
        task = asyncio.current_task()
        assert task is not None
        self._relays.add(task)
        task.add_done_callback(self._relays.discard)
        self._knocking.add(task)
        task.add_done_callback(self._knocking.discard)
        try:
            there = await self._entered()
        except (OSError, EOFError, asyncio.CancelledError):
            writer.write(UNDELIVERED)
            writer.close()
            return
        self._knocking.discard(task)
        ends = {writer, there[1]}
        self._connections |= ends
        try:
            await splice((reader, writer), there)
        finally:
            self._connections -= ends

    async def _entered(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to the instance, once it is there.

        Raises:
            OSError: It has ended, or its node is not reached.
            EOFError: It has ended.
        """
        await self._enterable.wait()
        if self._ended.done():
            raise ConnectionRefusedError(self._ended.result())
        try:
            reader, writer = await asyncio.open_connection(
                str(self.state["host"]), int(self.state["door"]), ssl=self._engine.tls
            )
        except ConnectionRefusedError:  # it has ended; why, its runner or the end of the link will say
            self._let_nobody_in()
            raise
        try:
            writer.write(self.token.encode() + b"\n")
            await reader.readexactly(len(LET_IN))
        except BaseException:
            writer.transport.abort()
            raise
        return reader, writer
