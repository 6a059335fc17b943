"""The sizes of instance that there are: those of a file, else some that suit the machine.

Names and CPU:memory shape of the latter are those of BentoCloud's CPU instance types (`cpu.1`, `cpu.2`, ...),
so a configuration made for one cloud fits the other. The file, `instance_types.json` in the home, takes their
place as a whole:

    [{"name": "small", "cpu": 1, "memory": "2Gi"}, {"name": "trainer", "cpu": 4, "memory": "16Gi", "gpu": 1}]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from ..errors import InvalidRequestError
from ..views import InstanceType
from .engines import Node

__all__ = [
    "DEFAULT_INSTANCE_TYPE",
    "InstanceTypes",
    "fitting_instance_type",
    "instance_types",
    "read_instance_types",
]

GIBIBYTE = 1024**3

#: What a deployment gets that asks for nothing; without this name, the first one of all.
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


class _Declared(BaseModel):
    """An instance type, as the file has it."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")
    cpu: float = Field(gt=0, allow_inf_nan=False)
    memory: int = Field(ge=64 * 2**20)
    gpu: int = Field(0, ge=0)
    description: str = ""

    @field_validator("memory", mode="before")
    @classmethod
    def _in_bytes(cls, value: Any) -> int:
        found = _quantity(value, _MEMORY_UNITS)
        if found is None:
            raise ValueError(f"{value!r} is no size of memory: 2Gi, 512Mi, or bytes")
        return int(found)


class InstanceTypes:
    """The instance types of a cloud.

    Args:
        known: All of them.
        nodes: The machines that instances run on.

    Attributes:
        offered: Those that fit on one of the machines, in the order given.
    """

    def __init__(self, known: Sequence[InstanceType], nodes: Sequence[Node]) -> None:
        self._nodes = nodes
        self._known = {kind.name: kind for kind in known}
        self.offered = [kind for kind in known if not self._too_large(kind)] or list(known[:1])
        self._by_name = {kind.name: kind for kind in self.offered}

    @property
    def default(self) -> InstanceType:
        """What a deployment gets that asks for nothing."""
        return self._by_name.get(DEFAULT_INSTANCE_TYPE) or self.offered[0]

    def size(self, name: str) -> InstanceType:
        """The instance type of this name; the default one when it is not offered (any more)."""
        return self._by_name.get(name) or self.default

    def refusal(self, name: str) -> str:
        """Why there can be no instance of this type; "" = there can."""
        if name in self._by_name:
            return ""
        if name in self._known:
            return f"instance type {name!r} has {self._too_large(self._known[name])}"
        return f"there is no instance type {name!r}; there are: {', '.join(self._by_name)}"

    def lacks(self, resources: Mapping[str, Any]) -> str:
        """What a service needs that no instance type has, and that it cannot run without; "" = nothing."""
        gpus = _gpus_of(resources)
        most = max(kind.gpu for kind in self.offered)
        return f"{gpus} GPU, but no instance type has more than {most}" if gpus > most else ""

    def _too_large(self, kind: InstanceType) -> str:
        most = max(self._nodes, key=lambda node: (node.gpus >= kind.gpu, node.cpus, node.memory_bytes))
        if kind.cpu > most.cpus:
            return f"{kind.cpu:g} CPU; {most.name} has {most.cpus:g}"
        if kind.memory_bytes > most.memory_bytes:
            size, there = kind.memory_bytes / GIBIBYTE, most.memory_bytes / GIBIBYTE
            return f"{size:.3g} GiB of memory; {most.name} has {there:.3g} GiB"
        if kind.gpu > most.gpus:
            return f"{kind.gpu} GPU; {most.name} has {most.gpus or 'none'}"
        return ""


def instance_types(nodes: Sequence[Node], file: Path | None = None) -> InstanceTypes:
    """The instance types of a cloud.

    Args:
        nodes: The machines that instances run on.
        file: File that says which; where there is none, they suit the largest machine.

    Raises:
        InvalidRequestError: The file cannot be read.
    """
    declared = read_instance_types(file) if file is not None else None
    if declared is not None:
        return InstanceTypes(declared, nodes)
    known = [
        InstanceType(
            name=name,
            description=_words(cpu, gibibytes * GIBIBYTE),
            cpu=cpu,
            memory_bytes=gibibytes * GIBIBYTE,
        )
        for name, (cpu, gibibytes) in _SIZES.items()
    ]
    return InstanceTypes([*known, *_with_gpus(max(nodes, key=lambda node: node.gpus))], nodes)


def read_instance_types(file: Path) -> list[InstanceType] | None:
    """The instance types that a file names; None when there is no such file.

    Raises:
        InvalidRequestError: It cannot be read.
    """
    hint = '[{"name": "small", "cpu": 1, "memory": "2Gi", "gpu": 0}]'
    try:
        declared = TypeAdapter(list[_Declared]).validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InvalidRequestError(f"{file} cannot be read: {error}", hint=hint) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        reason = f"{where}: {first['msg']}" if where else first["msg"]
        raise InvalidRequestError(f"{file} is no list of instance types: {reason}", hint=hint) from error
    if not declared:
        raise InvalidRequestError(f"{file} names no instance type", hint="delete it to get the usual ones")
    return [
        InstanceType(
            name=each.name,
            description=each.description or _words(each.cpu, each.memory, each.gpu),
            cpu=each.cpu,
            memory_bytes=each.memory,
            gpu=each.gpu,
        )
        for each in declared
    ]


def _with_gpus(node: Node) -> list[InstanceType]:
    """1, 2, 4, ... GPUs of a machine, with as large a share of its CPUs and memory."""
    counts = [2**power for power in range(node.gpus.bit_length()) if 2**power <= node.gpus]
    types = []
    for gpus in counts:
        cpu = max(1.0, float(node.cpus * gpus // node.gpus))
        memory = max(node.memory_bytes * gpus // node.gpus // GIBIBYTE, 1) * GIBIBYTE
        words = _words(cpu, memory, gpus, node.gpu_model)
        types.append(
            InstanceType(name=f"gpu.{gpus}", description=words, cpu=cpu, memory_bytes=memory, gpu=gpus)
        )
    return types


def _words(cpu: float, memory: int, gpus: int = 0, model: str = "") -> str:
    of = f" ({model})" if model else ""
    return f"{cpu:g} CPU, {memory / GIBIBYTE:g} GiB memory" + (f", {gpus} GPU{of}" if gpus else "")


def fitting_instance_type(resources: Mapping[str, Any], types: InstanceTypes) -> str:
    """The smallest instance type that covers what a service asks for.

    Args:
        resources: `resources` of a `@bentoml.service`: `cpu` ("200m", 2), `memory` ("500Mi"), `gpu` (1).
        types: Those that there are.

    Returns:
        Its name; the largest when none is large enough; the default when nothing readable is asked for.
        One with GPUs only for those who ask for some.
    """
    cpu = _quantity(resources.get("cpu"), {"m": 0.001, "": 1})
    memory = _quantity(resources.get("memory"), _MEMORY_UNITS)
    gpus = _gpus_of(resources)
    if cpu is None and memory is None and not gpus:
        return types.default.name
    suiting = [kind for kind in types.offered if (kind.gpu > 0) == (gpus > 0)] or types.offered
    by_size = sorted(suiting, key=lambda kind: (kind.gpu, kind.cpu, kind.memory_bytes))
    for kind in by_size:
        if kind.gpu >= gpus and kind.cpu >= (cpu or 0) and kind.memory_bytes >= (memory or 0):
            return kind.name
    return by_size[-1].name


def _gpus_of(resources: Mapping[str, Any]) -> int:
    return int(_quantity(resources.get("gpu"), {"": 1}) or 0)


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
