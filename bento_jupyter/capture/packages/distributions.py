"""Which installed distribution brings a module, and what a set of distributions needs: the lock.

All from the metadata of what is installed in the kernel; nothing is looked up in a network.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bento_jupyter.errors import BuildError

from .editable import source_roots
from .installed import Installed, canonical, installed, stamp

if TYPE_CHECKING:
    from packaging.requirements import Requirement

__all__ = ["Distributions", "Lock", "applies", "closure", "pin_name", "unknown"]

#: Cython's own module names; each package that was compiled with it has them inside.
COMPILER_MODULES = ("cython_runtime", "_cython_")


class Distributions:
    """The distributions of this interpreter, by the modules they bring."""

    def __init__(self) -> None:
        self._all = installed()
        self._editable: dict[str, dict[str, Path]] = {}
        self._by_root: dict[str, list[Installed]] = {}
        for item in self._all.values():
            for root in self._roots(item):
                self._by_root.setdefault(root, []).append(item)

    @classmethod
    def installed(cls) -> Distributions:
        """The distributions that are installed now."""
        return _distributions(tuple(sys.path), stamp())

    def origin(self, module: str, names: Iterable[str] = ()) -> str | None:
        """Name of the distribution that brings `module`; "" for the standard library, None if there is none.

        Args:
            module: A module, with the packages it is in.
            names: What is taken from it. Matters for a package that several distributions share, such as
                `google.cloud`: what is meant is then one of its parts.

        Example:
            >>> Distributions.installed().origin("sklearn.pipeline")
            'scikit-learn'
        """
        root = module.partition(".")[0]
        if root == "__main__":
            return None
        if root in sys.stdlib_module_names or root == "builtins" or root.startswith(COMPILER_MODULES):
            return ""
        items = self._by_root.get(root) or self._imported_since(root)
        if len(items) > 1:
            items = self._narrowed(items, module, names)
        return items[0].name if items else None

    def _imported_since(self, root: str) -> list[Installed]:
        """Editable installs that bring a module which was not imported yet when they were looked at."""
        if root in sys.modules:
            for item in self._all.values():
                if item.project is not None and root in self._roots(item):
                    return self._by_root.setdefault(root, [item])
        return []

    def is_shared(self, root: str) -> bool:
        """True when several distributions put their parts into one top-level package."""
        return len(self._by_root.get(root, ())) > 1

    def _narrowed(self, items: list[Installed], module: str, names: Iterable[str]) -> list[Installed]:
        """Those of several distributions with one root that bring the module itself."""
        for path in [f"{module}.{name}" for name in names] + [module]:
            having = [item for item in items if self._has(item, path)]
            if having:
                break
        else:
            return items
        if len(having) > 1:  # one of them has overwritten the files of the others
            return [item for item in having if is_intact(item, module)] or having
        return having

    def _has(self, item: Installed, module: str) -> bool:
        path = module.replace(".", "/")
        if item.project is not None:
            for root, place in self._editable[item.name].items():
                if module == root or root.startswith(f"{module}."):
                    return True
                inner = place / module[len(root) + 1 :].replace(".", "/")
                if module.startswith(f"{root}.") and (inner.is_dir() or inner.with_suffix(".py").is_file()):
                    return True
            return False
        return any(file.startswith((f"{path}/", f"{path}.")) for file, _ in item.files())

    def _roots(self, item: Installed) -> list[str]:
        if item.project is None:
            return item.top_level()
        self._editable[item.name] = source_roots(item)
        return list(dict.fromkeys(name.partition(".")[0] for name in self._editable[item.name]))


@functools.lru_cache(maxsize=1)
def _distributions(path: tuple[str, ...], marks: tuple[object, ...]) -> Distributions:
    return Distributions()


def unknown(module: str) -> str:
    """Where a module comes from that belongs to no distribution, for people.

    Example:
        >>> unknown("no_such_module")
        'it is not installed'
    """
    root = module.partition(".")[0]
    found = sys.modules.get(root)
    file = getattr(found, "__file__", None) or next(iter(getattr(found, "__path__", None) or ()), None)
    if file is None:
        return (
            "it is not installed"
            if found is None
            else "it was made in the notebook, not imported from a file"
        )
    for record in Path(sys.prefix, "conda-meta").glob("*.json"):
        about = json.loads(record.read_text(encoding="utf-8"))
        if any(file.endswith(f"/{path}") for path in about.get("files", ()) if f"/{root}" in path):
            return f"conda's package {about['name']} {about['version']} brought it, without what pip calls it"
    return f"it comes from {file}"


def is_intact(item: Installed, module: str) -> bool:
    """True when the files of a module are those that the distribution brought."""
    path = module.replace(".", "/")
    for file, expected in item.files():
        if not expected.startswith("sha256=") or not file.startswith((f"{path}/", f"{path}.")):
            continue
        if file.endswith(".py") or "/" not in file.removeprefix(f"{path}/"):
            try:
                digest = hashlib.sha256((item.site / file).read_bytes()).digest()
            except OSError:
                return False
            if base64.urlsafe_b64encode(digest).decode().rstrip("=") != expected.removeprefix("sha256="):
                return False
    return True


@dataclass(frozen=True)
class Lock:
    """A closed set of pinned distributions.

    Attributes:
        pins: `name==version`, sorted by name; versions as an index has them.
        absent: Requirements that the metadata names but that are not installed in the kernel.
        needed_by: Which distributions need it, by canonical name; empty for those asked for.
    """

    pins: list[str]
    absent: list[str]
    needed_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def lines(self, wheels: Mapping[str, Path]) -> list[str]:
        """The lines of requirements.txt.

        Args:
            wheels: The distributions that are shipped as wheels, by name, with their files.

        Example:
            >>> Lock(["a==1", "b==2"], []).lines({"b": Path("b-2-py3-none-any.whl")})
            ['a==1', './wheels/b-2-py3-none-any.whl']
        """
        files = {canonical(name): path.name for name, path in wheels.items()}
        return [f"./wheels/{files[pin_name(pin)]}" if pin_name(pin) in files else pin for pin in self.pins]


def pin_name(pin: str) -> str:
    """The canonical name of the distribution that a line `name==version` pins.

    Example:
        >>> pin_name("Foo_Bar[x]==1.0")
        'foo-bar'
    """
    return canonical(pin.partition("==")[0].partition("[")[0].strip())


def closure(roots: Iterable[str]) -> Lock:
    """Everything that `roots` need, as it is installed here.

    Args:
        roots: Names of distributions, with extras if need be: `uvicorn[standard]`.

    Raises:
        BuildError: Something is installed in a version that something else does not allow: nobody could
            install that.

    Example:
        >>> "numpy" in [pin.partition("==")[0] for pin in closure(["scikit-learn"]).pins]
        True
    """
    from packaging.requirements import Requirement

    there = installed()
    pins: dict[str, str] = {}
    absent: dict[str, str] = {}
    needed_by: dict[str, list[str]] = {}
    conflicts: list[str] = []
    todo: list[tuple[Requirement, Installed | None]] = [(Requirement(name), None) for name in roots]
    done: set[tuple[str, frozenset[str]]] = set()
    while todo:
        requirement, by = todo.pop()
        name = canonical(requirement.name)
        found = there.get(name)
        if by is not None and by.name not in needed_by.setdefault(name, []):
            needed_by[name].append(by.name)
        if found is None:
            absent[name] = str(requirement)
            continue
        if by is not None and not allows(requirement, found):
            conflicts.append(
                f"{by.name} {by.version} needs {found.name}{requirement.specifier}, "
                f"but {found.version} is installed"
            )
        key = (name, frozenset(requirement.extras))
        if key in done:
            continue
        done.add(key)
        pins[name] = found.pin
        todo.extend((wanted, found) for wanted in found.requires if applies(wanted, requirement.extras))
    if conflicts:
        raise BuildError(
            f"no environment can be made like the notebook's: {'; '.join(sorted(set(conflicts)))}",
            hint="install versions that go together (`pip check` lists the others), restart, build again",
        )
    return Lock(
        [pins[name] for name in sorted(pins)],
        sorted(absent.values()),
        {name: tuple(sorted(needed_by.get(name, ()))) for name in sorted(pins)},
    )


def allows(requirement: Requirement, found: Installed) -> bool:
    """True when the installed version is one that a requirement allows."""
    from packaging.version import InvalidVersion

    try:
        return requirement.specifier.contains(found.version, prereleases=True)
    except InvalidVersion:  # of before PEP 440
        return True


def applies(requirement: Requirement, extras: Iterable[str], target: Mapping[str, str] | None = None) -> bool:
    """True when a requirement's marker holds.

    Args:
        requirement: The requirement.
        extras: Extras that were asked for of the distribution whose metadata it is in.
        target: What is different where it will run, e.g. `{"python_version": "3.12"}`; None = nothing.
    """
    marker = requirement.marker
    if marker is None:
        return True
    return any(marker.evaluate({**(target or {}), "extra": extra}) for extra in ("", *extras))
