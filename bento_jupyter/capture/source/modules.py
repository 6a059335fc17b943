"""Modules of the user's own project: those that no installed distribution brings; they go along as files."""

from __future__ import annotations

import ast
import functools
import importlib.util
import json
import site
import sys
import sysconfig
import types
import urllib.parse
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from bento_jupyter.capture.packages.distributions import Distributions
from bento_jupyter.capture.parts import NOTEBOOK_MODULE, Place, ProjectModule
from bento_jupyter.errors import NotServableError

from .code_objects import same_code, walk
from .secrets import secret_in_text

__all__ = ["ProjectModules", "is_library"]

#: Modules of the generated project; a module of the user's may not have such a name.
TAKEN = {NOTEBOOK_MODULE, "service", "codec", "test_parity"}
#: Data files up to this size go along with a package.
DATA_LIMIT = 1 << 20
SKIPPED = {"__pycache__", ".ipynb_checkpoints", ".git", "node_modules", ".venv", "venv"}
MISSING = object()


@functools.lru_cache(maxsize=1)
def _library_folders() -> tuple[Path, ...]:
    names = {*sysconfig.get_paths().values(), *site.getsitepackages(), site.getusersitepackages()}
    return tuple({Path(name).resolve() for name in names if name})


def real_name(module: str) -> str:
    """The name a module was imported by: compiled ones also go by a short name."""
    spec = getattr(sys.modules.get(module), "__spec__", None)
    return module if spec is None else str(spec.name)


def file_of(module: str) -> Path | None:
    """Source file of a loaded module; for a package its `__init__.py`, None when it has none."""
    file = getattr(sys.modules.get(module), "__file__", None)
    return Path(file).resolve() if isinstance(file, str) else None


def is_library(module: str) -> bool:
    """Whether the standard library or an installed distribution brings a module.

    The place of its file decides where names alone do not: a `utils.py` of the user's is not the `utils` of
    some distribution.
    """
    origin = Distributions.installed().origin(module)
    if origin is None:
        return False
    root = module.partition(".")[0]
    file = file_of(module) or file_of(root)
    if file is None or any(folder in file.parents for folder in _library_folders()):
        return True
    return bool(origin) and _editable(origin, file)


def _editable(distribution: str, file: Path) -> bool:
    try:
        text = metadata.distribution(distribution).read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        return False
    if not text:
        # An older kind of editable install names no folder: the distribution lists the module all the same.
        return True
    url = json.loads(text).get("url", "")
    folder = Path(urllib.parse.unquote(urllib.parse.urlparse(url).path))
    return folder.resolve() in file.parents


class ProjectModules:
    """The project modules on the path, each with the files that go along.

    Args:
        note: Called with (library module, name) for what they import from installed distributions.
    """

    def __init__(self, note: Callable[[str, str], None]) -> None:
        self._note = note
        self._found: dict[str, ProjectModule] = {}
        self._checked: set[str] = set()

    @property
    def modules(self) -> list[ProjectModule]:
        """Sorted by name."""
        return [self._found[name] for name in sorted(self._found)]

    def add(self, module: str, why: str) -> None:
        """Take a module along, and what it imports.

        Raises:
            NotServableError: It has no file, is named like a file of the generated project, or its file says
                something else than what the kernel has loaded.
        """
        root = module.partition(".")[0]
        if root not in self._found:
            if root in TAKEN:
                raise NotServableError(
                    f"module {root!r} of your project ({why}) is named like a file of the generated project",
                    hint=f"rename {root}.py, e.g. to my_{root}.py",
                )
            self._found[root] = ProjectModule(root, self._files(root, why), why)
        self._follow(module)

    def _files(self, root: str, why: str) -> dict[str, Path]:
        loaded = sys.modules.get(root)
        if loaded is None:
            spec = importlib.util.find_spec(root)
            origin = spec.origin if spec is not None else None
            folders = list(spec.submodule_search_locations or ()) if spec is not None else []
        else:
            origin = getattr(loaded, "__file__", None)
            folders = list(getattr(loaded, "__path__", ()))
        if not folders:
            if origin is None or not Path(origin).is_file():
                raise NotServableError(
                    f"module {root!r} ({why}) has no file that could go along",
                    hint="put its code into a .py file or into a cell",
                )
            if Path(origin).suffix != ".py":
                raise NotServableError(
                    f"module {root!r} ({why}) is the compiled file {Path(origin).name}, "
                    "which fits this machine only",
                    hint="install it as a package (a wheel)",
                )
            return {f"{root}.py": Path(origin).resolve()}
        files: dict[str, Path] = {}
        for folder in folders:
            for path in sorted(Path(folder).rglob("*")):
                inside = path.relative_to(folder)
                if (
                    SKIPPED & set(inside.parts)
                    or not path.is_file()
                    or any(p.startswith(".") for p in inside.parts)
                ):
                    continue
                if path.suffix in (".pyc", ".ipynb") or (
                    path.suffix != ".py" and path.stat().st_size > DATA_LIMIT
                ):
                    continue
                files.setdefault(f"{root}/{inside.as_posix()}", path.resolve())
        return files

    def _follow(self, module: str) -> None:
        """Check a module and its packages, and take along what they import."""
        parts = module.split(".")
        for count in range(1, len(parts) + 1):
            name = ".".join(parts[:count])
            if name in self._checked:
                continue
            self._checked.add(name)
            path = self._path(name)
            if path is None:
                continue
            text = path.read_text(encoding="utf-8")
            tree = ast.parse(text, str(path))
            _refuse_secrets(text, tree, path)
            if name in sys.modules:
                check_fresh(sys.modules[name], text, tree, path)
            for imported, attribute in imported_names(tree, name, package=path.name == "__init__.py"):
                self._import(imported, attribute, path)

    def _path(self, module: str) -> Path | None:
        root, _, rest = module.partition(".")
        files = self._found[root].files
        stem = "/".join([root, *rest.split(".")]) if rest else root
        for name in (f"{stem}.py", f"{stem}/__init__.py"):
            if name in files:
                return files[name]
        return None

    def _import(self, module: str, attribute: str, path: Path) -> None:
        why = f"{path.name} imports it"
        root = module.partition(".")[0]
        if root in sys.modules or root in sys.stdlib_module_names:
            library = is_library(module)
        else:
            library = Distributions.installed().origin(module) is not None
        if library:
            self._note(module, attribute)
            return
        if root in sys.modules or _exists(root):
            self.add(module, why)
            if attribute and self._path(f"{module}.{attribute}") is not None:
                self._follow(f"{module}.{attribute}")


def _exists(root: str) -> bool:
    try:
        return importlib.util.find_spec(root) is not None
    except (ImportError, ValueError):
        return False


def imported_names(tree: ast.AST, module: str, *, package: bool = False) -> Iterator[tuple[str, str]]:
    """(module, name) for each import in a text, also inside functions; relative ones made absolute.

    Example:
        >>> list(imported_names(ast.parse("from .b import c"), "pkg.a"))
        [('pkg.b', 'c')]
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.split(".")
                parts = parts[: len(parts) - node.level + (1 if package else 0)]
                base = ".".join([*parts, *([node.module] if node.module else [])])
            if base and base != "__future__":
                yield from ((base, alias.name if alias.name != "*" else "") for alias in node.names)


def _refuse_secrets(text: str, tree: ast.Module, path: Path) -> None:
    from .secrets import looks_secret

    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            reason = secret_in_text(node.value)
            if reason:
                raise _secret(path, node.lineno, "a text", reason)
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant):
            for target in statement.targets:
                if isinstance(target, ast.Name):
                    reason = looks_secret(target.id, statement.value.value)
                    if reason:
                        raise _secret(path, statement.lineno, repr(target.id), reason)


def _secret(path: Path, line: int, what: str, reason: str) -> NotServableError:
    return NotServableError(
        f"{what} in {Place(path.name, line)} looks like a secret: {reason}",
        hint='read os.environ["NAME"] there, and deploy with --env NAME=... or --secret',
    )


def check_fresh(module: types.ModuleType, text: str, tree: ast.Module, path: Path) -> None:
    """Compare what the kernel has loaded of a module with its file.

    Raises:
        NotServableError: They differ: the file was edited since, or the module was changed from outside.
    """
    name = real_name(module.__name__)
    compiled = list(walk(compile(text, str(path), "exec", dont_inherit=True)))
    for label, function in _functions_of(module):
        if function.__globals__ is not vars(module):
            defined = {
                n.name
                for n in tree.body
                if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
            }
            if function.__globals__.get("__name__") == "__main__" and label.partition(".")[0] in defined:
                raise NotServableError(
                    f"{name}.{label} was replaced by a function of the notebook; "
                    f"its file {path.name} has another",
                    hint=f"write the change into {path.name}, or call your function by its own name",
                )
            continue
        if function.__code__.co_filename.startswith("<"):
            continue
        if not any(same_code(code, function.__code__) for code in compiled):
            raise NotServableError(
                f"{name}.{label} as the kernel has it differs from the file {path.name}: "
                "it was edited since its import",
                hint=f"import importlib; importlib.reload({name}), then run the cells that use it again",
            )
    _check_constants(module, tree, path, name)


def _check_constants(module: types.ModuleType, tree: ast.Module, path: Path, name: str) -> None:
    stored: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
            stored[node.id] = stored.get(node.id, 0) + 1
    for statement in tree.body:
        if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
            continue
        target = statement.targets[0]
        if not isinstance(target, ast.Name) or stored.get(target.id) != 1:
            continue
        try:
            written = ast.literal_eval(statement.value)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            continue
        live = vars(module).get(target.id, MISSING)
        if type(live) is not type(written) or repr(live) != repr(written):
            raise NotServableError(
                f"{name}.{target.id} is {_short(live)} in the kernel and {_short(written)} in "
                f"{Place(path.name, statement.lineno)}",
                hint=f"write the value into {path.name}, or importlib.reload({name})",
            )


def _short(value: Any) -> str:
    if value is MISSING:
        return "not there"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _functions_of(module: types.ModuleType) -> Iterator[tuple[str, types.FunctionType]]:
    for name, value in list(vars(module).items()):
        if isinstance(value, type) and value.__module__ == module.__name__:
            for attribute, member in list(vars(value).items()):
                inner = getattr(member, "__func__", None) or getattr(member, "fget", None) or member
                if isinstance(inner, types.FunctionType):
                    yield f"{name}.{attribute}", inner
        elif isinstance(value, types.FunctionType):
            yield name, value
            inner = getattr(value, "__wrapped__", None)
            if isinstance(inner, types.FunctionType):
                yield name, inner
