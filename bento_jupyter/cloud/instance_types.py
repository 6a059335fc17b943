"""The sizes of instance that this machine can take.

Names and CPU:memory shape are those of BentoCloud's CPU instance types (`cpu.1`, `cpu.2`, ...), so a
configuration made for one cloud fits the other.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import psutil

from ..spec import InstanceType

__all__ = ["DEFAULT_INSTANCE_TYPE", "fitting_instance_type", "instance_types"]

GIBIBYTE = 1024**3

#: What a deployment gets that asks for nothing.
DEFAULT_INSTANCE_TYPE = "cpu.1"

#: name -> CPUs, memory in GiB.
_SIZES = {
    "cpu.1": (0.5, 2),
    "cpu.2": (1.0, 2),
    "cpu.4": (2.0, 4),
    "cpu.8": (4.0, 8),
    "cpu.16": (8.0, 16),
    "cpu.32": (16.0, 32),
    "cpu.64": (32.0, 64),
}

_MEMORY_UNITS = {
    "Ki": 1024,
    "Mi": 1024**2,
    "Gi": GIBIBYTE,
    "Ti": 1024**4,
    "K": 1000,
    "k": 1000,
    "M": 1000**2,
    "G": 1000**3,
    "T": 1000**4,
    "m": 0.001,
    "": 1,
}


def instance_types() -> list[InstanceType]:
    """The instance types that fit on this machine, smallest first; the smallest is always there."""
    cpus = os.cpu_count() or 1
    memory = psutil.virtual_memory().total
    return [
        InstanceType(
            name=name,
            description=f"{cpu:g} CPU, {gibibytes} GiB memory",
            cpu=cpu,
            memory_bytes=gibibytes * GIBIBYTE,
        )
        for name, (cpu, gibibytes) in _SIZES.items()
        if name == DEFAULT_INSTANCE_TYPE or (cpu <= cpus and gibibytes * GIBIBYTE <= memory)
    ]


def fitting_instance_type(resources: Mapping[str, Any]) -> str:
    """The smallest instance type that covers what a service asks for.

    Args:
        resources: `resources` of a `@bentoml.service`: `cpu` ("200m", 2), `memory` ("500Mi").

    Returns:
        Its name; the largest of the machine when none is large enough; the default when nothing
        readable is asked for.
    """
    cpu = _quantity(resources.get("cpu"), {"m": 0.001, "": 1})
    memory = _quantity(resources.get("memory"), _MEMORY_UNITS)
    if cpu is None and memory is None:
        return DEFAULT_INSTANCE_TYPE
    offered = instance_types()
    for kind in offered:
        if kind.cpu >= (cpu or 0) and kind.memory_bytes >= (memory or 0):
            return kind.name
    return offered[-1].name


def _quantity(value: Any, units: Mapping[str, float]) -> float | None:
    """A Kubernetes quantity as a number; None when there is none or it cannot be read."""
    if value is None or isinstance(value, bool):
        return None
    text = str(value).strip()
    number = text.rstrip("KMGTikm")
    try:
        return float(number) * units[text[len(number) :]]
    except (ValueError, KeyError):
        return None
