"""Editable installs: which modules they bring, where their code is, and whether it changed since its import.

Only the installer knows for sure: there are path files (PEP 660 allows any mechanism), finders of setuptools
and links of old. What they bring is read from those, and from what the kernel has imported.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from .installed import Installed, canonical

__all__ = ["changed_since_import", "source_roots"]

#: Folders of a project that are no packages of its distribution.
ASIDE = frozenset(
    {"test", "tests", "doc", "docs", "example", "examples", "scripts", "build", "dist", "bench"}
)
#: What of a code object makes it another one; line numbers do not.
PARTS = ("co_code", "co_names", "co_varnames", "co_freevars", "co_cellvars", "co_argcount", "co_flags")


def source_roots(item: Installed) -> dict[str, Path]:
    """The packages and modules of an editable install: dotted name -> folder or file.

    Example:
        >>> source_roots(installed()["mytool"])  # doctest: +SKIP
        {'mytool': PosixPath('/home/me/mytool/src/mytool')}
    """
    if item.project is None:
        return {}
    found = dict(from_finders(item))
    if not found:
        found = dict(from_folders(item, [*path_entries(item), item.site, item.project]))
    if not found:
        found = dict(from_import_system(item))
    return found


def from_finders(item: Installed) -> Iterator[tuple[str, Path]]:
    """What setuptools' generated finder maps."""
    for path, _ in item.files():
        if not (path.startswith("__editable__") and path.endswith("_finder.py")):
            continue
        for node in ast.parse((item.site / path).read_text(encoding="utf-8")).body:
            if not isinstance(node, (ast.Assign, ast.AnnAssign)) or node.value is None:
                continue
            target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
            if isinstance(target, ast.Name) and target.id == "MAPPING":
                for name, place in ast.literal_eval(node.value).items():
                    if (root := existing(Path(place))) is not None:
                        yield name, root


def path_entries(item: Installed) -> Iterator[Path]:
    """Folders that its `.pth` files put on the path."""
    for path, _ in item.files():
        if path.endswith(".pth") and "/" not in path:
            for line in (item.site / path).read_text(encoding="utf-8").splitlines():
                if line.strip() and not line.startswith(("#", "import ", "import\t")):
                    folder = item.site / line.strip()
                    if folder.is_dir():
                        yield folder


def from_folders(item: Installed, folders: list[Path]) -> Iterator[tuple[str, Path]]:
    """Its modules in the folders they are imported from.

    Those that its metadata names; else the one of its own name and those that were imported; else all.
    """
    folders = list(dict.fromkeys(folder for folder in folders if folder.is_dir()))
    for name in item.declared:
        for folder in folders:
            if (root := existing(folder / name)) is not None:
                yield name, root
                break
    if item.declared:
        return
    own = canonical(item.name).replace("-", "_")
    for folder in folders:
        if folder in (item.site,):
            continue
        there = {
            path.name if path.is_dir() else path.stem: path for path in folder.iterdir() if is_code(path)
        }
        chosen = [name for name in there if name.lower() == own or imported_from(name, there[name])]
        if not chosen and folder != item.project:
            chosen = [name for name in there if name not in ASIDE]
        if chosen:
            for name in sorted(chosen):
                yield name, there[name]
            return


def from_import_system(item: Installed) -> Iterator[tuple[str, Path]]:
    """The module of its own name, wherever the import system finds it (build backends with finders)."""
    name = canonical(item.name).replace("-", "_")
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return
    if spec is not None and spec.origin and Path(spec.origin).is_file():
        origin = Path(spec.origin)
        yield name, origin.parent if origin.name == "__init__.py" else origin


def existing(place: Path) -> Path | None:
    """The folder of a package, or the file of a module."""
    if place.is_dir() or place.is_file():
        return place
    file = place.with_name(place.name + ".py")
    return file if file.is_file() else None


def is_code(path: Path) -> bool:
    """True for a module and for a folder that holds some."""
    if path.name.startswith((".", "_")) or path.suffix == ".egg-info":
        return False
    if path.is_dir():
        return path.name.isidentifier() and (
            (path / "__init__.py").is_file() or any(path.glob("*.py")) or any(path.glob("*/__init__.py"))
        )
    return path.suffix == ".py" and path.stem.isidentifier() and path.stem not in ("setup", "conftest")


def imported_from(name: str, root: Path) -> bool:
    """True when the kernel has imported this module from there."""
    module = sys.modules.get(name)
    places = [getattr(module, "__file__", None), *(getattr(module, "__path__", None) or ())]
    return any(place and (Path(place) == root or root in Path(place).parents) for place in places)


def changed_since_import(item: Installed) -> list[str]:
    """Modules of an editable install whose files are not what the kernel has imported.

    Noticed are functions, methods and plain constants that differ; changes of comments do not count.
    """
    roots = source_roots(item)
    changed = []
    for name, module in sorted(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if not file or not file.endswith(".py") or not isinstance(module, ModuleType):
            continue
        place = Path(file)
        if any(place == root or root in place.parents for root in roots.values()) and differs(module, place):
            changed.append(name)
    return changed


def differs(module: ModuleType, file: Path) -> bool:
    """True when a module's file is not what was imported."""
    try:
        text = file.read_bytes()
        tree = ast.parse(text)
        code = compile(text, str(file), "exec", dont_inherit=True)
    except (OSError, SyntaxError, ValueError):
        return True
    on_disk = {parts(inner) for inner in nested(code)}
    for function in functions(module, str(file)):
        if parts(function.__code__) not in on_disk:
            return True
    return any(
        name in vars(module) and is_plain(vars(module)[name]) and vars(module)[name] != value
        for name, value in constants(tree).items()
    )


def functions(module: ModuleType, file: str) -> Iterator[FunctionType]:
    """Functions and methods that were defined in a module."""
    todo: list[Any] = list(vars(module).values())
    seen: set[int] = set()
    while todo:
        value = todo.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        value = getattr(value, "__func__", None) or getattr(value, "fget", None) or value
        if isinstance(value, FunctionType):
            if value.__code__.co_filename == file:
                yield value
            if hasattr(value, "__wrapped__"):
                todo.append(value.__wrapped__)
        elif isinstance(value, type) and value.__module__ == module.__name__:
            todo.extend(vars(value).values())


def nested(code: CodeType) -> Iterator[CodeType]:
    """A code object and those within it."""
    yield code
    for value in code.co_consts:
        if isinstance(value, CodeType):
            yield from nested(value)


def parts(code: CodeType) -> tuple[Any, ...]:
    """What of a code object makes it another one, to be compared."""
    values = tuple(
        parts(value) if isinstance(value, CodeType) else (type(value).__name__, written(value))
        for value in code.co_consts
    )
    return (code.co_name, *(getattr(code, part) for part in PARTS), values)


def written(value: Any) -> str:
    """A constant as text; sets in an order of their own."""
    return repr(sorted(map(repr, value))) if isinstance(value, frozenset) else repr(value)


def constants(tree: ast.Module) -> dict[str, Any]:
    """The plain constants that a module binds once, at its top level."""
    found: dict[str, Any] = {}
    again: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name in found or not isinstance(node.value, ast.Constant):
                again.add(name)
            else:
                found[name] = node.value.value
    return {name: value for name, value in found.items() if name not in again}


def is_plain(value: Any) -> bool:
    """True for values that compare as what they are."""
    return value is None or isinstance(value, (bool, int, float, str, bytes, complex))
