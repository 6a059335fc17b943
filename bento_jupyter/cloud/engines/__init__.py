"""Engines: how instances are run. `processes` on this machine."""

from __future__ import annotations

from .engine import Engine, Node, Phase, ReplicaHandle, ReplicaSpec, ReplicaState
from .processes import ProcessEngine

__all__ = ["Engine", "Node", "Phase", "ProcessEngine", "ReplicaHandle", "ReplicaSpec", "ReplicaState"]
