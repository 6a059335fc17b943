"""Whether what was built on one version of Python can be served on another.

Bentos carry source, never bytecode, and pickles of data, which all versions read. What is left are the
distributions: each says which versions it runs on, and a wheel in the Bento is for those in its name only.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from .distributions import applies, pin_name
from .installed import canonical, installed

__all__ = ["missing_on", "python_problems"]


def python_problems(pins: Iterable[str], wheels: Iterable[Path | str], python: str) -> list[str]:
    """Why a lock cannot be installed for a version of Python.

    Args:
        pins: Lines `name==version` of the lock, as they are installed here.
        wheels: Wheels that go along with it; their file names count.
        python: The version, e.g. "3.13".

    Returns:
        One sentence per reason; empty when there is none in the metadata.

    Example:
        >>> python_problems([], ["tool-1.0-cp311-cp311-linux_x86_64.whl"], "3.13")
        ['the wheel tool-1.0-cp311-cp311-linux_x86_64.whl is compiled for cp311, not for Python 3.13']
    """
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    there = installed()
    # Of a minor version the newest release is meant: `>=3.10.1` is met by 3.10.
    release = python if python.count(".") > 1 else f"{python}.99"
    problems = []
    for pin in pins:
        item = there.get(pin_name(pin))
        if item is None or not item.requires_python:
            continue
        try:
            fits = SpecifierSet(item.requires_python).contains(release, prereleases=True)
        except InvalidSpecifier:
            continue
        if not fits:
            problems.append(f"{item.name} {item.version} needs Python {item.requires_python}, not {python}")
    for wheel in wheels:
        name = Path(wheel).name
        made_for = interpreters(name)
        if made_for and not any(runs_on(interpreter, abi, python) for interpreter, abi in made_for):
            versions = ", ".join(sorted({interpreter for interpreter, _ in made_for}))
            problems.append(f"the wheel {name} is compiled for {versions}, not for Python {python}")
    return problems


def missing_on(pins: Iterable[str], python: str) -> list[str]:
    """What a lock needs besides on another version of Python: backports, mostly.

    They are not installed in the kernel, so nothing pins them; an installer takes the newest that fits.

    Args:
        pins: Lines `name==version` of the lock, as they are installed here.
        python: The version, e.g. "3.10".
    """
    from packaging.specifiers import SpecifierSet

    there = installed()
    locked = {pin_name(pin) for pin in pins}
    minor = ".".join(python.split(".")[:2])
    target = {"python_version": minor, "python_full_version": python if python != minor else f"{minor}.99"}
    found: dict[str, SpecifierSet] = {}
    for name in locked:
        for wanted in there[name].requires if name in there else ():
            if canonical(wanted.name) not in locked and applies(wanted, (), target):
                found[wanted.name] = found.get(wanted.name, SpecifierSet()) & wanted.specifier
    return sorted(f"{name}{specifier}" for name, specifier in found.items())


def interpreters(wheel: str) -> list[tuple[str, str]]:
    """Interpreter and ABI of each tag in the name of a wheel; empty when it is no such name."""
    parts = wheel.removesuffix(".whl").rsplit("-", 3)
    if len(parts) != 4:
        return []
    return [(python, abi) for python in parts[1].split(".") for abi in parts[2].split(".")]


def runs_on(interpreter: str, abi: str, python: str) -> bool:
    """True when a wheel of this tag runs on CPython of this version."""
    major, minor = (int(part) for part in python.split(".")[:2])
    if abi == "none" and interpreter.startswith("py"):
        digits = interpreter.removeprefix("py")
        return int(digits[:1]) == major and (len(digits) < 2 or int(digits[1:]) <= minor)
    if abi == "abi3" and interpreter.startswith("cp3"):
        return int(interpreter.removeprefix("cp3") or 0) <= minor
    return interpreter == f"cp{major}{minor}"
