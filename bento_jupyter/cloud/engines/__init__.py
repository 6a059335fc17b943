"""Engines: how instances are run.

`processes` on this machine, `containers` on it (the same, but all deployments have OCI images), `ray` on the
nodes of a Ray cluster.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .engine import Engine, Node, Phase, ReplicaHandle, ReplicaSpec, ReplicaState
from .processes import ProcessEngine

if TYPE_CHECKING:
    from ..settings import CloudSettings

__all__ = [
    "Engine",
    "Node",
    "Phase",
    "ProcessEngine",
    "ReplicaHandle",
    "ReplicaSpec",
    "ReplicaState",
    "make_engine",
]


def make_engine(settings: CloudSettings) -> Engine:
    """The engine that a cloud is told to use. It is asked here whether it can be used at all.

    Raises:
        BentoJupyterError: It cannot, with the reason: a cluster that cannot be reached, or lets nobody in;
            nothing that builds images.
    """
    if settings.engine == "ray":
        from .ray import RayEngine

        return RayEngine.connect(settings)
    if settings.engine == "containers":
        from ..builders import Builders
        from .containers import require_platform

        require_platform()
        Builders(settings.builder).find()
    return ProcessEngine(settings.home, zygotes=settings.zygotes)
