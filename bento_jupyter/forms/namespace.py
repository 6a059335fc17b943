"""What of the notebook's names a form can offer: objects to serve, data to send, Bentos that were built."""

from __future__ import annotations

import sys
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import workspace
from ..display.words import size
from ..errors import MagicUsageError

__all__ = ["Named", "built_bentos", "data", "evaluated", "methods", "servable"]

#: Names that IPython puts into a notebook.
IPYTHON = frozenset(["In", "Out", "exit", "quit", "get_ipython", "open"])


@dataclass(frozen=True)
class Named:
    """Something of the notebook.

    Attributes:
        name: Its name.
        value: What it is.
        words: Type and size, for people.
    """

    name: str
    value: Any = field(repr=False)
    words: str

    @property
    def label(self) -> str:
        """Name, type and size."""
        return f"{self.name}  ({self.words})"


def servable(namespace: Mapping[str, Any]) -> list[Named]:
    """The objects that a Bento can be built from, as far as a look at them tells: the plan says for sure."""
    return [Named(name, value, _words(value)) for name, value in _own(namespace) if _is_servable(value)]


def methods(objects: Mapping[str, Any]) -> list[str]:
    """Names of all that could be endpoints, of objects by their names; none where there is no choice."""
    from ..capture.frameworks import framework_of
    from ..capture.subjects import is_function, is_service, public_methods

    if len(objects) > 1:
        return [name for name, value in objects.items() if is_function(value)]
    found: list[str] = []
    for value in objects.values():
        if is_service(value):
            found = list(value.apis)
        elif not is_function(value):
            known = (
                [] if isinstance(value, type) else [each.name for each in framework_of(value).methods(value)]
            )
            found = known or public_methods(value)
    return found


def data(namespace: Mapping[str, Any]) -> list[Named]:
    """The arrays, frames, lists and texts that can be sent to an endpoint."""
    kinds = (list, tuple, dict, str, int, float)
    return [
        Named(name, value, _words(value))
        for name, value in _own(namespace)
        if hasattr(value, "iloc") or hasattr(value, "dtype") or type(value) in kinds
    ]


def built_bentos(namespace: Mapping[str, Any]) -> dict[str, workspace.BuiltBento]:
    """Bentos that were built in the notebook, by tag."""
    return {value.tag: value for value in namespace.values() if isinstance(value, workspace.BuiltBento)}


def evaluated(expression: str, namespace: dict[str, Any], what: str) -> Any:
    """The value of an expression of the notebook, e.g. `X_test[:5]`; None for an empty one.

    Raises:
        MagicUsageError: It fails; the message says how.
    """
    if not expression.strip():
        return None
    try:
        return eval(expression, namespace)  # noqa: S307 - what the user typed, as in a cell
    except (Exception, SystemExit) as error:
        raise MagicUsageError(f"{what}: {expression!r} fails: {type(error).__name__}: {error}") from error


def _own(namespace: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [
        (name, value)
        for name, value in list(namespace.items())
        if not name.startswith("_") and name not in IPYTHON and not isinstance(value, types.ModuleType)
    ]


def _is_servable(value: Any) -> bool:
    from ..capture.frameworks import framework_of
    from ..capture.subjects import is_function, is_service

    if is_service(value):
        return True
    if isinstance(value, type):
        return value.__module__ == "__main__"
    if is_function(value):
        return getattr(value, "__module__", "__main__") == "__main__"
    if isinstance(value, workspace.BuiltBento) or type(value).__module__ == "builtins":
        return False
    if type(value).__module__ == "__main__":
        return any(callable(getattr(value, name, None)) for name in vars(type(value)) if name[0] != "_")
    try:
        return bool(framework_of(value).methods(value))
    except Exception:  # some object that does not like to be looked at: it is none to offer
        return False


def _words(value: Any) -> str:
    kind = type(value).__name__
    if hasattr(value, "inner") or isinstance(value, type):
        kind = "service" if hasattr(value, "inner") else "class"
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple):
        return f"{kind} {' × '.join(map(str, shape))}" if shape else kind
    if isinstance(value, (list, tuple, dict, str)):
        return f"{kind} of {len(value)}"
    return kind if callable(value) and not hasattr(value, "predict") else f"{kind}, {size(_bytes(value))}"


def _bytes(value: Any) -> int:
    """About how large: itself and the arrays that it holds."""
    held = vars(value).values() if hasattr(value, "__dict__") else ()
    return sys.getsizeof(value) + sum(int(getattr(each, "nbytes", 0) or 0) for each in held)
