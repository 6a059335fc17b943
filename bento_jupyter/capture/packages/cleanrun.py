"""What a Bento's clean run tells about its requirements: what it lacked.

The clean run is the proof: the Bento in its own environment, with nothing of the notebook around it. What it
lacked is in its log.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from .distributions import Distributions
from .installed import canonical, installed

__all__ = ["added", "missing_modules"]

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
