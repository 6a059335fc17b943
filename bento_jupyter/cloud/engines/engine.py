"""The interface of engines: how instances are run, and where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from ...spec import ColdStart

__all__ = ["Engine", "ReplicaHandle", "ReplicaSpec"]


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
        cpu: CPUs that its instance type has.
        memory_bytes: Memory that its instance type has.
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
    remotes: Mapping[str, Path] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)


class ReplicaHandle(Protocol):
    """One instance that was started."""

    @property
    def socket(self) -> Path:
        """Unix socket that the gateway reaches it by."""
        ...

    @property
    def pid(self) -> int | None:
        """Its process id on this machine; None where that means nothing."""
        ...

    @property
    def started_at(self) -> datetime:
        """When it was started."""
        ...

    @property
    def memory_bytes(self) -> int | None:
        """Memory that it and what it started use; None = not measured yet."""
        ...

    @property
    def cpu(self) -> float | None:
        """CPUs that it and what it started have used lately; None = not measured yet."""
        ...

    async def ready(self) -> ColdStart:
        """Wait until it answers requests.

        Raises:
            ReplicaStartError: It failed, ended or took too long; it is not stopped by that.
        """
        ...

    async def ended(self) -> str:
        """Wait for its end; gives the reason in words."""
        ...

    async def stop(self, grace: float) -> None:
        """End it: let it finish within `grace` seconds, then by force. Nothing of it is left after."""
        ...


class Engine(Protocol):
    """Runs instances."""

    async def open(self) -> None:
        """Begin to work; ends what an earlier run of this cloud left behind."""
        ...

    async def start(self, spec: ReplicaSpec) -> ReplicaHandle:
        """Start an instance; returns before it is ready.

        Raises:
            OSError: The machine refuses to.
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

    async def close(self) -> None:
        """Stop working; the instances have been stopped before."""
        ...
