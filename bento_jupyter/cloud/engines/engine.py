"""The interface of engines: how instances are run, and where.

Nothing above it knows what an engine is made of. What an engine has to do is held by the suite
`tests/engines/contract.py`, which each engine passes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Protocol

from ...views import ColdStart, ZygoteView
from ..oci import OciImage

__all__ = ["Engine", "Node", "Phase", "ReplicaHandle", "ReplicaSpec", "ReplicaState"]


@dataclass(frozen=True)
class Node:
    """A machine that instances run on.

    Attributes:
        name: Its name, unique in the engine.
        cpus: CPUs that it has.
        memory_bytes: Memory that it has.
        gpus: GPUs that it has.
        free_gpus: Those of them that no instance has.
        gpu_model: What they are, in the words of their maker; "" = there are none.
    """

    name: str
    cpus: float
    memory_bytes: int
    gpus: int = 0
    free_gpus: int = 0
    gpu_model: str = ""


class Phase(str, Enum):
    """Where an instance is in its life; each comes after those before it."""

    PENDING = "pending"
    STARTING = "starting"
    READY = "ready"
    ENDED = "ended"


@dataclass(frozen=True)
class ReplicaState:
    """One instance, as an engine sees it at one moment.

    Attributes:
        id: Its id.
        deployment: Its deployment.
        node: Name of the machine that it runs on; "" = on none yet.
        phase: Where it is in its life.
        reason: What it waits for while `pending`, why it ended once `ended`; else "".
        started_at: When it was started.
        pid: Its process id on this machine; None where that means nothing.
        memory_bytes: Memory that it and what it started use; None = not measured yet.
        cpu: CPUs that it and what it started have used lately; None = not measured yet.
        gpus: The GPUs that it has, as `CUDA_VISIBLE_DEVICES` names them.
    """

    id: str
    deployment: str
    node: str
    phase: Phase
    reason: str
    started_at: datetime
    pid: int | None = None
    memory_bytes: int | None = None
    cpu: float | None = None
    gpus: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReplicaSpec:
    """What to run.

    Attributes:
        id: Unique id of the instance.
        deployment: Name of its deployment.
        bento: Folder of the Bento, with its models.
        service: Service to serve; "" = the entry service.
        python: Interpreter of the Bento's environment.
        envs: Environment variables.
        files: Content of files, by path below the instance's own `BENTOML_HOME`.
        image: The OCI image that it runs in, in which the Bento is, too; None = the environment of `python`.
        cpu: CPUs that its instance type has.
        memory_bytes: Memory that its instance type has; one that uses more is ended with that reason.
        gpus: GPUs that its instance type has: as many are its own, and it sees no other.
        instance_type: Name of that instance type, for messages.
        remotes: Services of the Bento that other instances serve, each with the Unix socket to call it at;
            those not in it run in the same process.
    """

    id: str
    deployment: str
    bento: Path
    service: str
    python: Path
    envs: Mapping[str, str] = field(repr=False)
    cpu: float
    memory_bytes: int
    instance_type: str
    gpus: int = 0
    remotes: Mapping[str, Path] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    image: OciImage | None = None


class ReplicaHandle(Protocol):
    """One instance that was started."""

    @property
    def socket(self) -> Path:
        """Unix socket that the gateway reaches it by."""
        ...

    def observe(self) -> ReplicaState:
        """How it is now."""
        ...

    async def ready(self) -> ColdStart:
        """Wait until it answers requests.

        Raises:
            ReplicaStartError: It failed, ended or took too long; it is not stopped by that.
        """
        ...

    async def ended(self) -> str:
        """Wait for its end; gives the reason in words, also when it had ended before."""
        ...

    async def stop(self, grace: float) -> None:
        """End it: let it finish within `grace` seconds, then by force. Nothing of it is left after.

        To be called once for each instance, also for one that has ended by itself: what it held (GPUs, its
        socket) is free after. Calling it again does nothing.
        """
        ...


class Engine(Protocol):
    """Runs instances."""

    async def open(self) -> None:
        """Begin to work; ends what an earlier run of this cloud left behind."""
        ...

    def capacity(self) -> Sequence[Node]:
        """The machines that it runs instances on, and what they have."""
        ...

    async def start(self, spec: ReplicaSpec) -> ReplicaHandle:
        """Start an instance; returns before it is ready.

        One for which there is no room now (GPUs) is `pending`, first come, first served.

        Raises:
            OSError: The machine refuses to.
        """
        ...

    def observe(self) -> Sequence[ReplicaState]:
        """All instances that were started and not stopped yet."""
        ...

    def logs(self, deployment: str = "") -> Path:
        """Where what instances write is kept on this machine, wherever they run.

        Args:
            deployment: Its name; "" = the folder that has a folder for each.

        Returns:
            The folder with `<id>.log` for each instance. An instance appends; others may cut and delete.
        """
        ...

    def prepare(self, name: str, spec: ReplicaSpec) -> None:
        """Instances like this one may be needed at any time: get ready to start them fast.

        Args:
            name: Who may need them; remembered until `release`. A later call replaces an earlier one.
            spec: One of them.
        """
        ...

    def release(self, name: str) -> None:
        """They will not be needed any more."""
        ...

    def prepared(self) -> Sequence[ZygoteView]:
        """What is kept warm for such instances."""
        ...

    async def close(self) -> None:
        """Stop working; instances that were not stopped before are ended."""
        ...
