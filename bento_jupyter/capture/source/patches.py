"""What the notebook did to libraries themselves: functions that it replaced, and settings that it made.

Neither goes along: a Bento imports the libraries as they are. A replaced function of a library that is used
is refused, a setting is told.
"""

from __future__ import annotations

import ast
import types
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bento_jupyter.capture.parts import Place
from bento_jupyter.errors import NotServableError

from .attributes import attribute
from .executed import Executed, top_level
from .modules import is_library
from .names import static_value

__all__ = ["library_changes"]

#: Functions of libraries that change how others of them answer, by root module.
SETTINGS: Mapping[str, frozenset[str]] = {
    "codecs": frozenset(["register", "register_error"]),
    "copyreg": frozenset(["pickle"]),
    "csv": frozenset(["field_size_limit", "register_dialect"]),
    "decimal": frozenset(["setcontext"]),
    "locale": frozenset(["setlocale"]),
    "numpy": frozenset(["seterr", "seterrcall", "set_printoptions"]),
    "pandas": frozenset(["set_option"]),
    "sklearn": frozenset(["set_config"]),
    "torch": frozenset(["set_default_device", "set_default_dtype", "use_deterministic_algorithms"]),
    "tqdm": frozenset(["pandas"]),
}
MISSING = object()


@dataclass(frozen=True)
class Change:
    """One statement that changes a library.

    Attributes:
        root: Top-level module of the library.
        what: The text of what is changed: `pandas.Series.mean`, `np.seterr`.
        place: Where it was executed.
        replaces: True when a function or class was replaced.
    """

    root: str
    what: str
    place: Place
    replaces: bool


def library_changes(executed: Executed, namespace: Mapping[str, Any], used: Collection[str]) -> list[str]:
    """Warnings about settings that the notebook made in libraries that are used.

    Args:
        executed: What the kernel executed.
        namespace: The notebook's names.
        used: Modules that code and objects use.

    Raises:
        NotServableError: A function or class of such a library was replaced.
    """
    roots = {module.partition(".")[0] for module in used}
    warnings: dict[str, None] = {}
    for change in changes(executed, namespace):
        if change.root not in roots:
            continue
        if change.replaces:
            raise NotServableError(
                f"the notebook put {change.what} into a library ({change.place}): not so where it is served",
                hint="call your own function by its name instead of putting it into the library",
            )
        warnings[f"{change.what} ({change.place}) is a setting of the notebook: not in force when served"] = (
            None
        )
    return list(warnings)


def changes(executed: Executed, namespace: Mapping[str, Any]) -> Iterator[Change]:
    """Statements at the top of what was executed that change libraries."""
    for text in executed.cells:
        for statement in top_level(text.tree) if text.tree is not None else ():
            if isinstance(statement, (ast.Assign, ast.AugAssign)):
                targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
                for target in targets:
                    if isinstance(target, ast.Attribute):
                        yield from assigned(target, namespace, text.place(statement))
            elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
                yield from called(statement.value, namespace, text.place(statement))


def assigned(target: ast.Attribute, namespace: Mapping[str, Any], place: Place) -> Iterator[Change]:
    """`library.name = value`, `library.Class.name = value`, `library.options.name = value`."""
    owner = static_value(target.value, namespace, MISSING)
    written = ast.unparse(target)
    if isinstance(owner, (types.ModuleType, type)):
        module = owner.__name__ if isinstance(owner, types.ModuleType) else owner.__module__
        if not is_library(module):
            return
        live = attribute(owner, target.attr)
        yield Change(module.partition(".")[0], written, place, callable(live) or isinstance(live, property))
        return
    first: ast.expr = target.value
    while isinstance(first, (ast.Attribute, ast.Call)):
        first = first.func if isinstance(first, ast.Call) else first.value
    root = static_value(first, namespace, MISSING) if isinstance(first, ast.Name) else MISSING
    if isinstance(root, types.ModuleType) and is_library(root.__name__):
        yield Change(root.__name__.partition(".")[0], written, place, False)


def called(call: ast.Call, namespace: Mapping[str, Any], place: Place) -> Iterator[Change]:
    """Calls of functions that set something."""
    function = static_value(call.func, namespace, MISSING)
    owner = (
        static_value(call.func.value, namespace, MISSING) if isinstance(call.func, ast.Attribute) else None
    )
    module = owner.__name__ if isinstance(owner, types.ModuleType) else attribute(function, "__module__", "")
    name = call.func.attr if isinstance(call.func, ast.Attribute) else attribute(function, "__name__", "")
    root = str(module or "").partition(".")[0]
    if name in SETTINGS.get(root, ()) and is_library(root):
        yield Change(root, ast.unparse(call), place, False)
