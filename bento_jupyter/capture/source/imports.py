"""Imports: as they are written in the notebook, if they still mean the same object."""

from __future__ import annotations

import ast
import functools
import sys
import types
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from bento_jupyter.capture.parts import Home

from .attributes import attribute
from .executed import Executed
from .graph import Node, Use
from .handles import handle_of
from .modules import ProjectModules, imported_names, is_library, real_name
from .refusals import refusal

if TYPE_CHECKING:
    from .closure import CodeCapture

__all__ = ["Imports", "import_line", "importable", "written_import"]

MISSING = object()
#: Values that are written out rather than imported.
PLAIN = (int, float, complex, str, bytes, bool, type(None), type(Ellipsis), range, tuple, frozenset)


class Imports:
    """The import lines of the emitted module, and the modules behind them.

    Args:
        capture: The closure they belong to.
    """

    def __init__(self, capture: CodeCapture) -> None:
        self._capture = capture
        self._lines: dict[str, str] = {}
        self._submodules: set[str] = set()
        self.used_modules: dict[str, set[str]] = {}
        self.project = ProjectModules(self.used)

    @property
    def lines(self) -> list[str]:
        """Import lines, sorted."""
        return sorted({*self._lines.values(), *(f"import {name}" for name in self._submodules)})

    def binds(self, name: str) -> bool:
        """Whether a name is bound by an import."""
        return name in self._lines

    def home(self, obj: Any, why: str) -> Home | None:
        """Home of what can be imported: a library's, or a module's of the user's project."""
        found = importable(obj)
        if found is None:
            return None
        module, name = found
        if is_library(module):
            return Home(module, name, library=True)
        if _is_project(module):
            self.project.add(module, why)
            return Home(module, name)
        return None

    def module(self, name: str, module: types.ModuleType, use: Use) -> None:
        """Bind a name to a module."""
        real = getattr(getattr(module, "__spec__", None), "name", None) or module.__name__
        if real == "__main__" or sys.modules.get(real) is not module:
            raise refusal(
                f"module {real!r} as {name!r}{use.where} is not one that could be imported elsewhere",
                "use what is in it by its own name",
            )
        library = is_library(real)
        written = written_import(self._capture.executed, name, module, [])
        source, attribute = written if written is not None else (real, "")
        if library:
            self.used(real, "")
        else:
            self.project.add(real, f"{use}")
        self._lines[name] = import_line(source, attribute, name)
        self._capture.claim(name, module)

    def value(self, name: str, value: Any, use: Use, lookup: Mapping[str, Any]) -> bool:
        """Bind a name by an import, if that gives this very object in any process."""
        home = importable(value) if not isinstance(value, PLAIN) else None
        module = home[0] if home is not None else ""
        if home is not None and module == "builtins":
            text = f"{name} = {home[1]}"
            self._capture.builtin(home[1].partition(".")[0], name)
            self._capture.add(
                Node(name, "assignment", value, use.place, use, lambda: text, {home[1].partition(".")[0]})
            )
            return True
        written = (
            written_import(self._capture.executed, name, value, []) if lookup.get(name) is value else None
        )
        if written is None and home is not None and (is_library(module) or _is_project(module)):
            root, _, rest = home[1].partition(".")
            if not rest:
                written = (module, root)
            else:
                owner = self._capture.name_for(getattr(sys.modules[module], root), root, use)
                text = f"{name} = {owner}.{rest}"
                self._capture.add(Node(name, "assignment", value, use.place, use, lambda: text, {owner}))
                return True
        if written is None:
            return False
        source, attribute = written
        if is_library(source):
            self.used(source, attribute)
            if module and is_library(module):
                self.used(module, "")
        else:
            if handle_of(value) is not None:
                return False
            self.project.add(source, f"{use}")
        self._lines[name] = import_line(source, attribute, name)
        self._capture.claim(name, value)
        return True

    def name_of_module(self, module: str) -> str:
        """Name by which the emitted module has a library module."""
        live = sys.modules[module]
        known = self._capture.name_of(live)
        if known is not None:
            return known
        common = {"numpy": "np", "pandas": "pd"}.get(module, module)
        name = next((n for n in (common, module) if self._capture.namespace.get(n) is live), None)
        name = (
            name
            if name is not None and not self._capture.has(name)
            else self._capture.free_name(module, live)
        )
        self.module(name, live, Use())
        return name

    def submodule(self, parent: types.ModuleType, name: str) -> None:
        """Import a submodule that is reached as an attribute of its package."""
        if not is_library(name):
            self.project.add(name, "it is used as an attribute of its package")
        self.used(name, "")
        if _brings(parent, name) or any(
            line == f"import {name}" or line.startswith(f"import {name} as ") for line in self._lines.values()
        ):
            return
        root = name.partition(".")[0]
        if self._capture.means(root, sys.modules[root]):
            self._submodules.add(name)
            self._capture.claim(root, sys.modules[root])
        else:
            alias = self._capture.free_name(name.replace(".", "_"), sys.modules[name])
            self._lines[alias] = import_line(name, "", alias)
            self._capture.claim(alias, sys.modules[name])

    def used(self, module: str, name: str) -> None:
        """Note that the code needs a library module: the evidence for a requirement."""
        if not is_library(module):
            return
        self.used_modules.setdefault(module, set())
        if name:
            self.used_modules[module].add(name)


def importable(obj: Any) -> tuple[str, str] | None:
    """Module and qualified name by which any process finds this very object; None = there are none.

    Example:
        >>> import json
        >>> importable(json.JSONDecoder.decode)
        ('json.decoder', 'JSONDecoder.decode')
    """
    name = attribute(obj, "__qualname__") or attribute(obj, "__name__")
    if not isinstance(name, str) or "<" in name:
        return None
    module = attribute(obj, "__module__")
    if not isinstance(module, str):
        owner = attribute(obj, "__objclass__")
        bound = attribute(obj, "__self__")
        if isinstance(owner, type):  # str.upper
            module = owner.__module__
        elif isinstance(obj, types.BuiltinMethodType) and isinstance(bound, type):  # dict.fromkeys
            module = bound.__module__
        elif type(obj).__module__ == "numpy":  # ufuncs name no module
            module = "numpy"
        else:
            return None
    if module == "__main__":
        return None
    module = real_name(module)
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, MISSING)
    return (module, name) if found is obj or _same_method(found, obj) else None


def _same_method(one: Any, other: Any) -> bool:
    """Methods are made anew each time they are asked for."""
    kinds = (types.MethodType, types.BuiltinMethodType)
    return (
        isinstance(one, kinds)
        and type(one) is type(other)
        and isinstance(one.__self__, (type, types.ModuleType))
        and one.__self__ is other.__self__
        and one == other
    )


def import_line(module: str, attribute: str, name: str) -> str:
    """The statement that binds `name` to a module or to a name in it.

    Example:
        >>> import_line("numpy", "", "np"), import_line("math", "pi", "pi")
        ('import numpy as np', 'from math import pi')
    """
    if attribute:
        return f"from {module} import {attribute}" + ("" if attribute == name else f" as {name}")
    if name == module:
        return f"import {module}"
    package, _, last = module.rpartition(".")
    if package and last == name:
        return f"from {package} import {last}"
    return f"import {module} as {name}"


def written_import(
    executed: Executed, name: str, obj: Any, trees: list[ast.Module]
) -> tuple[str, str] | None:
    """Module and attribute of the newest executed import that binds `name` to this very object.

    Nothing is imported for it. A star import counts as an import of the name.

    Args:
        executed: What the kernel executed.
        name: Name in the notebook.
        obj: What it is now.
        trees: Texts to look into first: the script that the name is used in.
    """
    for node in _statements(executed, name, trees):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if (alias.asname or alias.name.partition(".")[0]) != name:
                    continue
                module = alias.name if alias.asname else name
                if sys.modules.get(module) is obj:
                    return module, ""
        elif node.level == 0 and node.module and node.module != "__future__":
            source = sys.modules.get(node.module)
            for alias in node.names:
                attribute = name if alias.name == "*" else alias.name
                if alias.name != "*" and (alias.asname or alias.name) != name:
                    continue
                found = getattr(source, attribute, MISSING) if source is not None else MISSING
                if found is obj:
                    return node.module, attribute
    return None


def _statements(
    executed: Executed, name: str, trees: list[ast.Module]
) -> Iterator[ast.Import | ast.ImportFrom]:
    every = [
        *trees,
        *(text.tree for text in executed.cells if "import" in text.content and text.tree is not None),
    ]
    for tree in every:
        found = [node for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom))]
        yield from reversed(found)


def _is_project(module: str) -> bool:
    found = sys.modules.get(module)
    return found is not None and module != "__main__" and isinstance(getattr(found, "__file__", None), str)


def _brings(parent: types.ModuleType, name: str) -> bool:
    """Whether importing a package imports one of its submodules, too: as its own text says."""
    file = getattr(parent, "__file__", None)
    if not isinstance(file, str) or not file.endswith(".py"):
        return False
    return name in _submodules_of(file, parent.__name__)


@functools.lru_cache(maxsize=256)
def _submodules_of(file: str, package: str) -> frozenset[str]:
    try:
        with open(file, encoding="utf-8") as handle:
            tree = ast.parse(handle.read())
    except (OSError, SyntaxError, ValueError):
        return frozenset()
    found: set[str] = set()
    for statement in tree.body:  # what is in a function or an `if` may not run
        if not isinstance(statement, (ast.Import, ast.ImportFrom, ast.Try)):
            continue
        for module, member in imported_names(statement, package, package=True):
            found.add(module)
            found.add(f"{module}.{member}")
    lazy = any(isinstance(node, ast.FunctionDef) and node.name == "__getattr__" for node in ast.walk(tree))
    if lazy:  # imported when they are asked for
        words = {
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        found.update(f"{package}.{word}" for word in words if word.isidentifier())
    return frozenset(found)
