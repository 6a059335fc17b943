"""Engines: how instances are run. `processes` on this machine."""

from __future__ import annotations

from .engine import Engine, ReplicaHandle, ReplicaSpec
from .processes import ProcessEngine

__all__ = ["Engine", "ProcessEngine", "ReplicaHandle", "ReplicaSpec"]
