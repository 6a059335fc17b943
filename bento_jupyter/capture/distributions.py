"""Which installed distribution brings a module, and what a set of distributions needs: the lock.

All from the metadata of what is installed in the kernel; nothing is looked up in a network.
"""

from __future__ import annotations

import functools
import inspect
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING

from bento_jupyter.errors import BuildError

if TYPE_CHECKING:
    from packaging.requirements import Requirement

__all__ = ["Distributions", "Lock", "closure"]

#: Cython's own module names; each package that was compiled with it has them inside.
COMPILER_MODULES = ("cython_runtime", "_cython_")


class Distributions:
    """The distributions of this interpreter, by the modules they bring."""

    def __init__(self) -> None:
        self._by_root = roots()

    @classmethod
    def installed(cls) -> Distributions:
        """The distributions that are installed now."""
        return _installed(tuple(sys.path), _stamp())

    def origin(self, module: str) -> str | None:
        """Name of the distribution that brings `module`; "" for the standard library, None if there is none.

        Example:
            >>> Distributions.installed().origin("sklearn.pipeline")
            'scikit-learn'
        """
        root = module.partition(".")[0]
        if root == "__main__":
            return None
        if root in sys.stdlib_module_names or root == "builtins" or root.startswith(COMPILER_MODULES):
            return ""
        names = list(dict.fromkeys(self._by_root.get(root, ())))
        if len(names) > 1:  # a namespace package: several distributions put their parts into one root
            path = module.replace(".", "/")
            names = [name for name in names if _has_module(name, path)] or names
        return names[0] if names else None


def roots() -> dict[str, list[str]]:
    """Distributions by the top-level modules that they bring.

    `metadata.packages_distributions` of Python 3.10 sees only those with a `top_level.txt`, which many
    build tools no longer write: scikit-learn, for one, has none.
    """
    found: dict[str, list[str]] = {}
    for distribution in metadata.distributions():
        name = distribution.metadata["Name"]
        declared = (distribution.read_text("top_level.txt") or "").split()
        for root in declared or sorted(top_level(distribution)):
            found.setdefault(root, []).append(name)
    return found


def top_level(distribution: metadata.Distribution) -> set[str]:
    """Top-level modules of a distribution, from the list of its files."""
    names = set()
    for file in distribution.files or []:
        root = file.parts[0] if len(file.parts) > 1 else inspect.getmodulename(str(file))
        if root is not None and root.isidentifier():
            names.add(root)
    return names


@functools.lru_cache(maxsize=1)
def _installed(path: tuple[str, ...], stamp: tuple[float, ...]) -> Distributions:
    return Distributions()


def _stamp() -> tuple[float, ...]:
    """Changes when something is installed or removed."""
    import os

    times = []
    for entry in sys.path:
        try:
            times.append(os.stat(entry or ".").st_mtime)
        except OSError:
            times.append(0.0)
    return tuple(times)


def _has_module(name: str, path: str) -> bool:
    files = metadata.files(name) or []
    return any(file.as_posix().startswith((f"{path}/", f"{path}.")) for file in files)


@dataclass(frozen=True)
class Lock:
    """A closed set of pinned distributions.

    Attributes:
        pins: `name==version`, sorted by name.
        absent: Requirements that the metadata names but that are not installed in the kernel.
    """

    pins: list[str]
    absent: list[str]


def closure(roots: Iterable[str]) -> Lock:
    """Everything that `roots` need, as it is installed here.

    Args:
        roots: Names of distributions.

    Raises:
        BuildError: A distribution was installed from a folder or a repository, which nobody else has.

    Example:
        >>> "numpy" in [pin.partition("==")[0] for pin in closure(["scikit-learn"]).pins]
        True
    """
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    pins: dict[str, str] = {}
    absent: dict[str, str] = {}
    todo = [Requirement(name) for name in roots]
    done: set[tuple[str, frozenset[str]]] = set()
    while todo:
        requirement = todo.pop()
        name = canonicalize_name(requirement.name)
        key = (name, frozenset(requirement.extras))
        if key in done:
            continue
        done.add(key)
        try:
            found = metadata.distribution(requirement.name)
        except metadata.PackageNotFoundError:
            absent[name] = str(requirement)
            continue
        _check_origin(found)
        pins[name] = f"{name}=={found.version}"
        for line in found.requires or ():
            wanted = Requirement(line)
            if _applies(wanted, requirement.extras):
                todo.append(wanted)
    return Lock([pins[name] for name in sorted(pins)], sorted(absent.values()))


def _applies(requirement: Requirement, extras: set[str]) -> bool:
    if requirement.marker is None:
        return True
    return any(requirement.marker.evaluate({"extra": extra}) for extra in (extras or {""})) or (
        requirement.marker.evaluate({"extra": ""})
    )


def _check_origin(found: metadata.Distribution) -> None:
    """Refuse what was installed from this machine or from a repository (PEP 610)."""
    text = found.read_text("direct_url.json")
    if (
        not text or (found.read_text("INSTALLER") or "").strip() == "conda"
    ):  # conda records its own build folder
        return
    origin = json.loads(text)
    name, version = found.metadata["Name"], found.version
    if "vcs_info" in origin:
        how = f"from a {origin['vcs_info'].get('vcs', 'version control')} repository"
    elif origin.get("dir_info", {}).get("editable"):
        how = "as an editable folder of this machine"
    elif origin["url"].startswith("file:"):
        how = "from a folder or file of this machine"
    else:
        return
    raise BuildError(
        f"{name} {version} is installed {how}; other machines cannot get it by its version",
        hint=f"install a released version: pip install {name}",
    )
