"""Annotations and defaults of the notebook's functions, as source of the service."""

from __future__ import annotations

import math
import types
import typing
from typing import Any

from ..source import CodeCapture

__all__ = ["default_source", "hint_source", "is_loose_hint"]

#: Characters of a default that still reads well in a signature.
LONGEST_DEFAULT = 1000
#: Lists within lists of such a default.
DEEPEST_DEFAULT = 8

#: Annotations that do not say what BentoML's own wire loses: dtypes, index, what is in a container.
LOOSE = frozenset(
    ["numpy.ndarray", "pandas.DataFrame", "pandas.Series", "builtins.dict", "builtins.list", "builtins.tuple"]
)


def default_source(value: Any) -> str | None:
    """Source of a plain default; None when it is none that reads the same everywhere.

    Example:
        >>> default_source([0.5, None]), default_source(object())
        ('[0.5, None]', None)
    """
    return repr(value) if _is_plain(value) and len(repr(value)) <= LONGEST_DEFAULT else None


def _is_plain(value: Any, depth: int = 0) -> bool:
    if type(value) in (list, tuple):
        return depth < DEEPEST_DEFAULT and all(_is_plain(each, depth + 1) for each in value)
    if type(value) is dict:
        return _is_plain([*value, *value.values()], depth)
    plain = (str, int, float, bool, bytes, type(None))
    return type(value) in plain and not (isinstance(value, float) and not math.isfinite(value))


def hint_source(hint: Any, code: CodeCapture) -> tuple[str, set[str]]:
    """Source of an annotation of the notebook, its classes captured, and the imports it needs.

    Example:
        `list[Person]` of a class of the notebook becomes `list[notebook_code.Person]`.
    """
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    imports: set[str] = set()

    def inner(each: Any) -> str:
        source, needed = hint_source(each, code)
        imports.update(needed)
        return source

    if origin is typing.Annotated:
        return hint_source(arguments[0], code)
    if origin in (typing.Union, types.UnionType):
        return " | ".join(inner(each) for each in arguments), imports
    if origin is typing.Literal:
        return f"Literal[{', '.join(map(repr, arguments))}]", {"from typing import Literal"}
    if origin is not None:
        name = getattr(origin, "__name__", str(origin))
        words = ["..." if each is Ellipsis else inner(each) for each in arguments]
        if origin.__module__ == "builtins":
            return f"{name}[{', '.join(words)}]", imports
        return f"{origin.__module__}.{name}[{', '.join(words)}]", {*imports, f"import {origin.__module__}"}
    if hint is type(None):
        return "None", imports
    if not isinstance(hint, type):
        return "Any", {"from typing import Any"}
    if hint.__module__ == "builtins":
        return hint.__name__, imports
    home = code.refer(hint, "an annotation")
    return f"{home.module}.{home.name}", {f"import {home.module}"}


def is_loose_hint(hint: Any) -> bool:
    """Whether an annotation of the user's own service gives way to one that carries dtypes.

    Example:
        >>> is_loose_hint(None), is_loose_hint(dict), is_loose_hint(list[str])
        (True, True, False)
    """
    if typing.get_origin(hint) is typing.Annotated:
        return is_loose_hint(typing.get_args(hint)[0])
    if hint is None or hint is Any:
        return True
    if typing.get_origin(hint) in (dict, list, tuple):
        return False
    named = f"{getattr(hint, '__module__', '')}.{getattr(hint, '__name__', '')}"
    origin = typing.get_origin(hint)
    return named in LOOSE or (origin is not None and getattr(origin, "__name__", "") == "ndarray")
