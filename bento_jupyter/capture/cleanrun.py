"""What a Bento's clean run tells about its requirements: what it imported, and what it lacked.

The clean run is the proof: the Bento in its own environment, with nothing of the notebook around it. Its
replica writes down at its end which modules it had imported; what it lacked is in its log.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from .distributions import Distributions
from .installed import canonical, installed

__all__ = [
    "MODULES_ENV",
    "added",
    "dropped",
    "first_imports",
    "imported_distributions",
    "missing_modules",
    "reported_modules",
]

#: Variable that names the file into which a replica writes the modules it has imported, when it ends.
MODULES_ENV = "BENTO_JUPYTER_MODULES"
#: How Python, and libraries with optional dependencies, say that a module is not there.
MISSING_MODULE = (
    re.compile(r"ModuleNotFoundError: No module named ['\"]([\w.]+)['\"]"),
    re.compile(r"ImportError: Missing optional dependency ['\"]([\w.-]+)['\"]"),  # pandas
    re.compile(
        r"ImportError:\s*[^\n]*\b(?:requires|needs|without) (?:the )?[`'\"]?([\w.-]+)[`'\"]?[^\n]*install"
    ),
)
#: The same, of a library that only names what to install.
INSTALL_HINT = re.compile(
    r"^\S*(?:Import|ModuleNotFound|MissingDependency)\w*: [^\n]*?pip install ([^\n]+)", re.M
)
#: A distribution's name on the command line of pip.
NAME = re.compile(r"[A-Za-z0-9][\w.-]*")


def missing_modules(log_text: str) -> list[str]:
    """Modules (or distributions) that a log says were not found, in its order.

    Args:
        log_text: What the service wrote, with tracebacks.

    Example:
        >>> missing_modules("ModuleNotFoundError: No module named 'pyarrow.parquet'")
        ['pyarrow.parquet']
    """
    found = [(match.start(), match[1]) for pattern in MISSING_MODULE for match in pattern.finditer(log_text)]
    for match in INSTALL_HINT.finditer(log_text):
        words = (word.strip("`'\"(") for word in match[1].split())
        named = next((NAME.match(word) for word in words if not word.startswith("-")), None)
        if named is not None:
            found.append((match.start(), named[0].rstrip(".-")))
    return list(dict.fromkeys(name for _, name in sorted(found)))


def added(missing: Iterable[str], have: Collection[str]) -> dict[str, str]:
    """The distributions to add because the clean run lacked their modules.

    Args:
        missing: What was not found; see `missing_modules`.
        have: Names of the distributions that the environment had: those of the lock.

    Returns:
        The evidence, by name of the distribution. What the kernel does not have either is passed over: the
        notebook works without it.

    Example:
        >>> added(["numpy.linalg", "no_such_module"], ["pandas"])
        {'numpy': 'the clean run imports numpy.linalg'}
    """
    there, origins = installed(), Distributions.installed()
    has = {canonical(name) for name in have}
    found: dict[str, str] = {}
    for module in missing:
        name = origins.origin(module)
        if name is None and canonical(module) in there:  # an optional dependency, by its distribution's name
            name = there[canonical(module)].name
        if name and canonical(name) not in has:
            found.setdefault(name, f"the clean run imports {module}")
    return found


def dropped(
    direct: Mapping[str, str], imported: Collection[str], keep: Collection[str] = ()
) -> dict[str, str]:
    """The direct requirements that the clean run never imported.

    Only what was put in on suspicion should be dropped on this evidence: code that imports a module on a
    branch that the sample did not take needs it all the same. Name the others in `keep`.

    Args:
        direct: The direct requirements by name, each with its evidence.
        imported: Distributions that the clean run imported; empty = it was not observed, nothing is dropped.
        keep: Names that stay in any case.

    Returns:
        Why it is dropped, by name.

    Example:
        >>> dropped({"numpy": "arrays", "tqdm": "imported while the sample ran"}, {"numpy"})
        {'tqdm': 'the clean run never imported it (imported while the sample ran)'}
    """
    if not imported:
        return {}
    stay = {canonical(name) for name in (*imported, *keep, "bentoml")}
    return {
        name: f"the clean run never imported it ({why})"
        for name, why in direct.items()
        if canonical(name) not in stay
    }


def imported_distributions(modules: Iterable[str]) -> set[str]:
    """The distributions whose modules these are; the standard library and unknown modules are passed over.

    Example:
        >>> sorted(imported_distributions(["numpy", "numpy.linalg", "os", "notebook_code"]))
        ['numpy']
    """
    origins = Distributions.installed()
    by_root: dict[str, str | None] = {}
    found = set()
    for module in modules:
        parts = module.split(".")
        # Parts of shared packages, such as google.cloud.storage, are told apart by their first three names.
        key = ".".join(parts[:3]) if origins.is_shared(parts[0]) else parts[0]
        if key not in by_root:
            by_root[key] = origins.origin(key)
        if name := by_root[key]:
            found.add(name)
    return found


def reported_modules(file: Path) -> frozenset[str]:
    """The modules that a replica has written down; empty when it has not, as when it was killed.

    Args:
        file: What `MODULES_ENV` named in its environment.
    """
    try:
        return frozenset(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return frozenset()


@contextmanager
def first_imports() -> Iterator[set[str]]:
    """The modules that are imported for the first time meanwhile: evidence that is only a suspicion.

    Example:
        >>> with first_imports() as modules:
        ...     import this_is_no_module_yet  # doctest: +SKIP
    """
    before = set(sys.modules)
    found: set[str] = set()
    try:
        yield found
    finally:
        found.update(set(sys.modules) - before)
