"""What of the notebook's names a form can offer: objects to serve, data to send, Bentos that were built.

An object may raise anything when it is looked at, even when it is asked for its class: a proxy whose database
is gone, a property that fails. It is left out then, or called by its type; all others are offered.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from .. import workspace
from ..display.words import size
from ..errors import MagicUsageError

__all__ = ["Named", "built_bentos", "data", "evaluated", "methods", "servable"]

#: Names that IPython puts into a notebook.
IPYTHON = frozenset(["In", "Out", "exit", "quit", "get_ipython", "open"])

Found = TypeVar("Found")


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
    return _named(namespace, _is_servable)


def methods(objects: Mapping[str, Any]) -> list[str]:
    """Names of all that could be endpoints, of objects by their names; none where there is no choice."""
    from ..capture.subjects import is_function

    if len(objects) > 1:
        return [name for name, value in objects.items() if _seen(is_function, value, False)]
    return [name for value in objects.values() for name in _seen(_methods_of, value, list[str]())]


def data(namespace: Mapping[str, Any]) -> list[Named]:
    """The arrays, frames, lists and texts that can be sent to an endpoint."""
    return _named(namespace, _is_data)


def built_bentos(namespace: Mapping[str, Any]) -> dict[str, workspace.BuiltBento]:
    """Bentos that were built in the notebook, by tag."""
    return {value.tag: value for value in list(namespace.values()) if _seen(_is_bento, value, False)}


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


def _seen(look: Callable[[Any], Found], value: Any, otherwise: Found) -> Found:
    """What a look at an object finds, whatever the object does then."""
    try:
        return look(value)
    except (Exception, SystemExit):  # not what stops the cell
        return otherwise


def _named(namespace: Mapping[str, Any], is_wanted: Callable[[Any], bool]) -> list[Named]:
    return [
        Named(name, value, _seen(_words, value, type(value).__name__))
        for name, value in list(namespace.items())
        if not name.startswith("_")
        and name not in IPYTHON
        and not _seen(_is_module, value, False)
        and _seen(is_wanted, value, False)
    ]


def _is_module(value: Any) -> bool:
    return isinstance(value, types.ModuleType)


def _is_bento(value: Any) -> bool:
    return isinstance(value, workspace.BuiltBento)


def _is_data(value: Any) -> bool:
    kinds = (list, tuple, dict, str, int, float)
    return type(value) in kinds or hasattr(value, "iloc") or hasattr(value, "dtype")


def _is_servable(value: Any) -> bool:
    from ..capture.subjects import is_function, is_service

    if is_service(value):
        return True
    if isinstance(value, type):
        return value.__module__ == "__main__"
    if is_function(value):
        return getattr(value, "__module__", "__main__") == "__main__"
    if _is_bento(value) or type(value).__module__ == "builtins":
        return False
    if type(value).__module__ == "__main__":
        # As the class has them: a property would run code of the user's.
        public = [each for name, each in vars(type(value)).items() if name[0] != "_"]
        return any(callable(each) or isinstance(each, classmethod) for each in public)
    return bool(_methods_of_model(value))


def _methods_of(value: Any) -> list[str]:
    from ..capture.subjects import is_function, is_service, public_methods

    if is_service(value):
        return list(value.apis)
    if is_function(value):
        return []
    if isinstance(value, type):
        return public_methods(value)
    return _seen(_methods_of_model, value, []) or public_methods(value)


def _methods_of_model(value: Any) -> list[str]:
    from ..capture.frameworks import framework_of

    return [each.name for each in framework_of(value).methods(value)]


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
    return sys.getsizeof(value) + sum(_seen(_nbytes, each, 0) for each in held)


def _nbytes(value: Any) -> int:
    return int(getattr(value, "nbytes", 0) or 0)
