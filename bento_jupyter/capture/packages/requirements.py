"""The distributions that a Bento needs, each with the evidence for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bento_jupyter.errors import BuildError

from ..parts import Saved
from ..source import CodeCapture
from .distributions import Distributions, Lock, pin_name, unknown
from .installed import canonical, installed
from .wheels import local_distributions

if TYPE_CHECKING:
    from ..plan import EndpointPlan

__all__ = ["Needs", "Requirement", "requirements_of"]

#: Descriptors of tables; these may travel by Arrow.
TABLES = frozenset(["frame", "series", "array"])


@dataclass(frozen=True)
class Requirement:
    """A distribution that the Bento needs directly.

    Attributes:
        name: Its name.
        version: The version installed in the kernel.
        why: What needs it.
    """

    name: str
    version: str
    why: str


@dataclass(frozen=True)
class Needs:
    """What a Bento needs directly.

    Attributes:
        direct: The requirements.
    """

    direct: list[Requirement]

    def local(self, lock: Lock) -> dict[str, str]:
        """Distributions of a lock that no index has, with the reason: they are shipped as wheels."""
        return local_distributions(pin_name(pin) for pin in lock.pins)


def requirements_of(
    code: CodeCapture,
    saved: Iterable[Saved],
    points: Iterable[EndpointPlan],
    extra: Iterable[Requirement] = (),
) -> Needs:
    """What the captured code, the saved objects and the wire need.

    Args:
        code: The captured code.
        saved: The saved objects.
        points: The endpoints.
        extra: What was found out otherwise.

    Raises:
        BuildError: A module belongs to no installed distribution.
    """
    origins = Distributions.installed()
    why: dict[str, str] = {}
    for module, names, reason in evidence(code, saved):
        name = origins.origin(module, names)
        if name is None:
            raise BuildError(
                f"{unknown(module)} ({reason})",
                hint="install it with pip, or make it a module of your project",
            )
        if name:
            why.setdefault(name, reason)
    kinds = {kind for point in points for kind in kinds_of(point)}
    if kinds & TABLES or kinds & {"scalar"}:
        why.setdefault("numpy", "the sample and the answers are arrays")
    if kinds & {"frame", "series"}:
        why.setdefault("pandas", "the sample or an answer is a DataFrame")
    if kinds & TABLES and "pyarrow" in installed():
        why.setdefault("pyarrow", "arrays and frames may travel by Arrow")
    if "torch" in kinds:
        why.setdefault("torch", "the sample or an answer is a tensor")
    if "image" in kinds:
        why.setdefault("pillow", "the sample or an answer is an image")
    why["bentoml"] = "serves it"
    there = installed()
    direct = {name: Requirement(name, there[canonical(name)].public_version, why[name]) for name in why}
    direct |= {item.name: item for item in extra if item.name not in direct}
    return Needs([direct[name] for name in sorted(direct)])


def evidence(code: CodeCapture, saved: Iterable[Saved]) -> Iterator[tuple[str, Iterable[str], str]]:
    """Modules that are needed, with what is taken from them and the reason."""
    for module, names in sorted(code.used_modules.items()):
        some = f" ({', '.join(sorted(names)[:3])})" if names else ""
        yield module, names, f"the code imports {module}{some}"
    for item in saved:
        for line in item.loader.imports:
            yield line.split()[1], (), f"reads the {item.kind.rpartition('.')[2]}"
        for module in sorted(item.modules, key=lambda name: (name.count("."), name)):
            taken = sorted(item.modules[module])
            yield module, taken, f"the object refers to {module}" + (f".{taken[0]}" if taken else "")


def kinds_of(point: EndpointPlan) -> Iterator[str]:
    """Kinds of all that goes in and out of an endpoint."""
    for descriptor in (*(parameter.descriptor for parameter in point.parameters), point.output):
        yield from kinds_within(descriptor)


def kinds_within(descriptor: Any) -> Iterator[str]:
    """Kinds of a descriptor and of those within it; of tensors, the library as well."""
    if isinstance(descriptor, dict):
        if isinstance(descriptor.get("kind"), str):
            yield descriptor["kind"]
        if descriptor.get("kind") == "array" and "library" in descriptor:
            yield descriptor["library"]
        for value in descriptor.values():
            yield from kinds_within(value)
    elif isinstance(descriptor, list):
        for value in descriptor:
            yield from kinds_within(value)
