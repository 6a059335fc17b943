"""The text of `notebook_code.py`."""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Mapping
from types import CodeType

from bento_jupyter.capture.parts import Loader
from bento_jupyter.errors import NotServableError

from .code_objects import same_code, walk
from .executed import Text
from .graph import Node
from .names import annotations_of
from .snippets import Edit, reindent_all, segment

__all__ = ["Module", "as_text"]

HEADER = '''"""Code of the notebook that the service needs, as it was executed there.

Each definition says which cell it comes from.
"""'''


class Module:
    """Writes the module.

    Args:
        nodes: Its statements, in order.
        imports: Its import lines.
        names: All names that it binds.
        eager: Objects that are needed while it is imported.
        future: Whether all its annotations were compiled under `from __future__ import annotations`.
    """

    def __init__(
        self, nodes: list[Node], imports: list[str], names: set[str], eager: set[str], future: bool
    ) -> None:
        self._nodes = nodes
        self._imports = imports
        self._names = names
        self._eager = eager
        self._future = future

    def text(self, loaders: Mapping[str, Loader], folder: str, folder_imports: tuple[str, ...]) -> str:
        """The whole text; "" when there is nothing in it."""
        if not self._nodes and not self._imports:
            return ""
        lines = set(self._imports)
        lazy = self._lazy()
        top: list[str] = []
        objects_name = self._free("OBJECTS")
        body: list[str] = []
        for node in self._nodes:
            if node in lazy:
                continue
            if node.kind == "object":
                loader = _loader(loaders, node)
                if objects_name not in top:
                    lines |= set(folder_imports)
                    body.append(f"#: Folder of the saved objects.\n{objects_name} = {folder}")
                    top.append(objects_name)
                lines |= set(loader.imports)
                body.append(f"{_origin(node)}{node.name} = {_renamed(loader.expression, objects_name)}")
            else:
                body.append(_origin(node) + node.render().rstrip())
        if lazy:
            path_line, path_name = self._path_import()
            lines.add(path_line)
            for node in lazy:
                if node.kind == "object":
                    lines |= set(_loader(loaders, node).imports)
            body.append(self._load(lazy, loaders, path_name))
        text = HEADER + "\n"
        if self._future:
            text += "\nfrom __future__ import annotations\n"
        if lines:
            text += "\n" + _import_block(lines)
        text += _spaced(body) + "\n"
        self._verify(text)
        return text

    def _lazy(self) -> list[Node]:
        objects = {n.name for n in self._nodes if n.kind == "object" and n.name not in self._eager}
        found = [n for n in self._nodes if n.name in objects]
        names = set(objects)
        waiting = [n for n in self._nodes if n.kind in ("alias", "constant")]
        while ready := [n for n in waiting if n.now & names]:  # aliases of objects, containers of some
            names |= {node.name.partition(" ")[0] for node in ready}
            found += ready
            waiting = [n for n in waiting if n not in ready]
        return found

    def _load(self, lazy: list[Node], loaders: Mapping[str, Loader], path_name: str) -> str:
        taken = {node.name for node in lazy}
        parameter = "folder" if "folder" not in taken else "saved_objects"
        lines = [
            f"def {self._free('load')}({parameter}: {path_name}) -> None:",
            f'    """Read the saved objects from `{parameter}`; the service does so when it starts."""',
            f"    global {', '.join(dict.fromkeys(node.name.partition(' ')[0] for node in lazy))}",
        ]
        for node in lazy:
            if node.kind == "object":
                lines.append(f"    {node.name} = {_renamed(_loader(loaders, node).expression, parameter)}")
            else:
                lines.append(reindent_all(node.render()))
        return "\n".join(lines)

    def _path_import(self) -> tuple[str, str]:
        if "from pathlib import Path" in self._imports or "Path" not in self._names:
            return "from pathlib import Path", "Path"
        return "import pathlib as _pathlib", "_pathlib.Path"

    def _free(self, name: str) -> str:
        while name in self._names or hasattr(builtins, name):
            name += "_"
        return name

    def _verify(self, text: str) -> None:
        """Refuse a text that does not do what the kernel does."""
        try:
            compiled = compile(text, "notebook_code.py", "exec", dont_inherit=True)
        except SyntaxError as error:
            raise NotServableError(
                f"the captured code cannot be written as a module: {error.msg}: {(error.text or '').strip()}",
                hint="define what the endpoint needs by plain def and class statements",
            ) from error
        codes: dict[tuple[str, ...], list[CodeType]] = {}
        for part in walk(compiled):
            codes.setdefault(part.co_varnames, []).append(part)
        for node in self._nodes:
            for code in node.codes:
                if not any(same_code(part, code, named=False) for part in codes.get(code.co_varnames, ())):
                    raise NotServableError(
                        f"{node.name} ({node.place}) would not be the same function as a part of a module",
                        hint=f"define {node.name} at the top of a cell, and run it",
                    )


def as_text(text: str) -> str:
    """A definition with its annotations as text: what `from __future__ import annotations` made of them."""
    whole = Text("", text)
    assert whole.tree is not None
    edits = []
    for statement in whole.tree.body:
        for node in ast.walk(statement):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                edits += [Edit(note, repr(ast.unparse(note))) for note in annotations_of(node)]
            elif isinstance(node, ast.ClassDef):
                edits += [
                    Edit(part.annotation, repr(ast.unparse(part.annotation)))
                    for part in node.body
                    if isinstance(part, ast.AnnAssign)
                ]
    lines = whole.lines
    end = ast.Constant(None)
    end.lineno, end.col_offset = 1, 0
    end.end_lineno, end.end_col_offset = len(lines), len(lines[-1].encode())
    return segment(whole, end, edits)


def _loader(loaders: Mapping[str, Loader], node: Node) -> Loader:
    try:
        return loaders[node.name]
    except KeyError:
        raise NotServableError(f"object {node.name!r} was not saved", hint="build again") from None


def _origin(node: Node) -> str:
    """The comment that says where a statement comes from."""
    if node.kind == "alias" or node.place is None or not node.name.isidentifier():
        return ""
    source = node.place.source
    return f"# {source}\n" if node.kind != "object" else f"# {source}: as it was when it was built\n"


def _renamed(expression: str, name: str) -> str:
    """A loader's expression, of another variable than `folder`."""
    return re.sub(r"\bfolder\b(?!\s*=[^=])", name, expression) if name != "folder" else expression


def _import_block(lines: set[str]) -> str:
    """Imports in the usual groups: standard library, installed, the project's own."""
    groups: list[list[str]] = [[], [], []]
    for line in sorted(_merged(lines), key=_import_key):
        groups[_group(line)].append(line)
    text = "\n\n".join("\n".join(group) for group in groups if group)
    return f"{text}\n" if text else ""


def _merged(lines: set[str]) -> set[str]:
    """`from m import a` and `from m import b` as one line, as long as it is short."""
    names: dict[str, list[str]] = {}
    found = set()
    for line in lines:
        if line.startswith("from "):
            module, _, name = line.removeprefix("from ").partition(" import ")
            names.setdefault(module, []).extend(part.strip() for part in name.split(","))
        else:
            found.add(line)
    for module, parts in names.items():
        line = f"from {module} import {', '.join(sorted(set(parts)))}"
        if len(line) <= 100:
            found.add(line)
        else:
            found.add(
                f"from {module} import (\n" + "".join(f"    {part},\n" for part in sorted(set(parts))) + ")"
            )
    return found


def _import_key(line: str) -> tuple[bool, str]:
    return line.startswith("from "), line.replace("import ", "").replace("from ", "")


def _group(line: str) -> int:
    from bento_jupyter.capture.packages.distributions import Distributions

    root = re.split(r"[ .]", line.split(" ", 1)[1].strip())[0]
    if root in sys.stdlib_module_names:
        return 0
    return 1 if Distributions.installed().origin(root) is not None else 2


def _spaced(parts: list[str]) -> str:
    """Statements with two blank lines around functions and classes, as a formatter would set them."""
    text = ""
    big_before = True
    for number, part in enumerate(parts):
        code = "\n".join(line for line in part.splitlines() if not line.startswith("#"))
        big = code.startswith(("def ", "class ", "async ", "@"))
        if number == 0:
            text += "\n\n" if big else "\n"
        else:
            text += "\n\n\n" if big or big_before else "\n" + ("\n" if part.startswith("#") else "")
        text += part
        big_before = big
    return text
