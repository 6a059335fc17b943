"""The text that the kernel executed, by the code that came of it.

IPython compiles each cell under a file name of its own and keeps its text in `linecache`, also after the cell
was edited and run again. So the text of any function is found by its code object, and proven to be the right
one by compiling it again.
"""

from __future__ import annotations

import ast
import functools
import linecache
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType
from typing import Any

from bento_jupyter.capture.parts import Place

from .code_objects import FUTURES, same_code, span, walk

__all__ = ["Executed", "Found", "FunctionNode", "Text"]

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
#: Flag of `compile` that IPython sets for cells with `await` at their top.
TOP_LEVEL_AWAIT = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


@dataclass(frozen=True, eq=False)
class Text:
    """A text that was executed: a cell, what a cell magic ran, a script, a module.

    Attributes:
        label: What a person calls it: `cell [3]`, `helpers.py`.
        content: The Python that was compiled.
        number: Number of the cell's execution; 0 = no cell.
        raw: The cell as it was typed, with magics; "" = not known.
    """

    label: str
    content: str
    number: int = 0
    raw: str = ""
    _compiled: dict[int, list[CodeType]] = field(default_factory=dict, repr=False)

    @functools.cached_property
    def lines(self) -> list[str]:
        """Lines, each with its end."""
        return self.content.splitlines(keepends=True)

    @functools.cached_property
    def tree(self) -> ast.Module | None:
        """Its syntax tree; None = it is no Python."""
        try:
            return ast.parse(self.content)
        except (SyntaxError, ValueError):
            return None

    def compiled(self, flags: int = 0) -> list[CodeType]:
        """Its code, compiled with the flags of the code it is compared with; [] = it is no Python.

        As a whole, as scripts are compiled, and statement by statement, as IPython does: what is imported in
        the same text makes a difference to the instructions.
        """
        if flags not in self._compiled:
            flags_too = flags | TOP_LEVEL_AWAIT
            try:
                tree = ast.parse(self.content)
                parts = [tree, *(ast.Module([statement], []) for statement in tree.body)]
                self._compiled[flags] = [
                    compile(part, "<executed>", "exec", flags_too, dont_inherit=True) for part in parts
                ]
            except (SyntaxError, ValueError):
                self._compiled[flags] = []
        return self._compiled[flags]

    def has(self, code: CodeType) -> bool:
        """Whether compiling it gives this very code."""
        return any(
            same_code(part, code, lines=True)
            for top in self.compiled(code.co_flags & FUTURES)
            for part in walk(top)
        )

    def place(self, node: ast.AST | None = None) -> Place:
        """Where `node` is."""
        return Place(self.label, getattr(node, "lineno", 0))


@dataclass(frozen=True)
class Found:
    """A function or class in the text that was executed.

    Attributes:
        text: The text.
        node: Its node there.
        parents: Nodes around it, outermost first.
    """

    text: Text
    node: Any
    parents: tuple[ast.AST, ...]

    @property
    def place(self) -> Place:
        """Where it is."""
        return self.text.place(self.node)

    @property
    def nested(self) -> bool:
        """Whether it is made anew whenever a function around it runs."""
        return any(
            isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) for node in self.parents
        )


class Executed:
    """All that the kernel executed, as far as it is still known.

    Args:
        namespace: The notebook's globals.
    """

    def __init__(self, namespace: Mapping[str, Any]) -> None:
        bound = namespace.get("get_ipython")
        shell = getattr(bound, "__self__", None)
        if shell is None and bound is not None and "IPython" in sys.modules:
            shell = sys.modules["IPython"].get_ipython()
        self.shell: Any = shell
        self._files: dict[str, list[Text]] = {}

    @functools.cached_property
    def _numbers(self) -> Mapping[str, int]:
        """File name of each cell -> number of its last execution."""
        return getattr(getattr(self.shell, "compile", None), "_filename_map", None) or {}

    @functools.cached_property
    def _inputs(self) -> tuple[list[str], list[str]]:
        """Cells by number: as Python, as typed."""
        history = getattr(self.shell, "history_manager", None)
        if history is None:
            return [], []
        return list(history.input_hist_parsed), list(history.input_hist_raw)

    def typed(self, number: int) -> str:
        """Cell `number` as it was typed; "" = not known."""
        raw = self._inputs[1]
        return raw[number] if 0 < number < len(raw) else ""

    @functools.cached_property
    def cells(self) -> list[Text]:
        """Everything that ran in the notebook, newest first: cells, what cell magics ran, `%run` scripts."""
        found: list[Text] = []
        for name, number in self._numbers.items():
            content = _cached(name)
            if content is not None:
                found.append(Text(_label(number), content, number, self.typed(number)))
        for number, content in enumerate(self._inputs[0]):
            found.extend(self._magic_texts(number, content))
        return sorted(found, key=lambda text: -text.number)

    def _magic_texts(self, number: int, content: str) -> Iterator[Text]:
        """What a cell's magics ran: the body of `%%time` and the like, the script of `%run`."""
        if "run_cell_magic" not in content and "run_line_magic" not in content:
            return
        try:
            tree = ast.parse(content)
        except (SyntaxError, ValueError):
            return
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            words = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
            if node.func.attr == "run_cell_magic" and len(words) == 3 and isinstance(words[2], str):
                yield Text(_label(number), self._transformed(words[2]), number, self.typed(number))
            elif node.func.attr == "run_line_magic" and words[:1] == ["run"] and len(words) == 2:
                script = re.search(r"(?:^|\s)([^\s-]\S*)", str(words[1]))
                path = Path(script.group(1).strip("'\"")) if script else None
                if path is not None and path.suffix != ".py":
                    path = path.with_suffix(".py")
                if path is not None and path.is_file():
                    for text in self.of_file(str(path.resolve())):
                        yield Text(f"{text.label} (%run)", text.content, number)

    def _transformed(self, body: str) -> str:
        transform = getattr(self.shell, "transform_cell", None)
        return str(transform(body)) if transform is not None else body

    def of_file(self, name: str) -> list[Text]:
        """Texts that were compiled under a file name, the likeliest first."""
        if name not in self._files:
            self._files[name] = self._read(name)
        return self._files[name]

    def _read(self, name: str) -> list[Text]:
        number = self._numbers.get(name)
        cached = _cached(name)
        if number is not None:
            return [Text(_label(number), cached, number, self.typed(number))] if cached is not None else []
        label = Path(name).name
        texts = [Text(label, cached)] if cached is not None else []
        try:
            content = Path(name).read_text(encoding="utf-8")
        except (OSError, ValueError):
            content = None
        if content is not None and content != cached:
            texts.append(Text(label, content))
        if texts:
            return texts
        # `%%time`, `%%prun` and others compile what is in the cell under a name of their own.
        return [text for text in self.cells if text.raw.startswith("%%")] if name.startswith("<") else []

    def locate(self, code: CodeType) -> Found | None:
        """Where the text of a function is, proven by compiling it again; None = no such text is left."""
        for text in self.of_file(code.co_filename):
            if text.tree is None or not text.has(code):
                continue
            found = [
                Found(text, node, parents)
                for node, parents in _functions(text.tree)
                if _name(node) == code.co_name and _first_line(node) == code.co_firstlineno
            ]
            chosen = _choose(found, code, text)
            if chosen is not None:
                return chosen
        return None

    def classes(self, name: str) -> Iterator[Found]:
        """Class statements of a qualified name, those of the newest cells first."""
        for text in self.cells:
            yield from classes_in(text, name)

    def assignments(self, name: str) -> Iterator[tuple[Text, ast.Assign | ast.AnnAssign]]:
        """Statements `name = ...` at the top of what was executed, newest first."""
        for text in self.cells:
            if text.tree is None or name not in text.content:
                continue
            for node in reversed(list(top_level(text.tree))):
                if isinstance(node, ast.Assign):
                    targets: list[ast.expr] = node.targets
                elif isinstance(node, ast.AnnAssign) and node.value is not None:
                    targets = [node.target]
                else:
                    continue
                if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                    yield text, node

    def bound_after(self, name: str, number: int) -> Text | None:
        """The newest cell after cell `number` that binds `name` at its top; None = none."""
        for text in self.cells:
            if text.number <= number:
                return None
            if name in text.content and text.tree is not None and name in top_level_names(text.tree):
                return text
        return None


def classes_in(text: Text, name: str) -> Iterator[Found]:
    """Class statements of a qualified name in one text, the last first."""
    if text.tree is None or name.rpartition(".")[2] not in text.content:
        return
    found = []
    for node, parents in _scopes(text.tree):
        if isinstance(node, ast.ClassDef) and node.name == name.rpartition(".")[2]:
            path = []
            for parent in (*parents, node):
                if isinstance(parent, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                    path.append(parent.name)
                    if not isinstance(parent, ast.ClassDef):
                        path.append("<locals>")
            if ".".join(path) == name:
                found.append(Found(text, node, parents))
    yield from reversed(found)


def top_level_names(tree: ast.Module) -> set[str]:
    """Names that a text binds at its top."""
    names: set[str] = set()
    for node in top_level(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names.update((alias.asname or alias.name).partition(".")[0] for alias in node.names)
        else:
            names.update(
                part.id
                for part in ast.walk(node)
                if isinstance(part, ast.Name) and isinstance(part.ctx, (ast.Store, ast.Del))
            )
    return names


def top_level(tree: ast.AST) -> Iterator[ast.stmt]:
    """Statements that run in the global scope, also those inside `if`, `try`, `with` and loops."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.ExceptHandler, ast.match_case)):
            yield from top_level(node)
        if not isinstance(node, ast.stmt):
            continue
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield from top_level(node)


def _label(number: int) -> str:
    return f"cell [{number}]" if number else "a cell"


def _cached(name: str) -> str | None:
    entry = linecache.cache.get(name)
    return "".join(entry[2]) if entry is not None and len(entry) > 2 else None


def _scopes(
    node: ast.AST, parents: tuple[ast.AST, ...] = ()
) -> Iterator[tuple[ast.AST, tuple[ast.AST, ...]]]:
    for child in ast.iter_child_nodes(node):
        yield child, parents
        yield from _scopes(child, (*parents, child))


def _functions(tree: ast.AST) -> Iterator[tuple[FunctionNode, tuple[ast.AST, ...]]]:
    for node, parents in _scopes(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield node, parents


def _name(node: FunctionNode) -> str:
    return "<lambda>" if isinstance(node, ast.Lambda) else node.name


def _first_line(node: FunctionNode) -> int:
    decorators = getattr(node, "decorator_list", None)
    return decorators[0].lineno if decorators else node.lineno


def _choose(found: list[Found], code: CodeType, text: Text) -> Found | None:
    """The one of several functions that begin at the same line."""
    if len(found) < 2:
        return found[0] if found else None
    where = span(code)
    if where is not None:
        for candidate in found:
            body = candidate.node.body
            if isinstance(body, ast.expr) and where == (
                (body.lineno, body.col_offset),
                (body.end_lineno, body.end_col_offset),
            ):
                return candidate
    same = [
        candidate
        for candidate in found
        if same_code(_alone(candidate, text, code.co_flags & FUTURES) or code, code)
    ]
    # Which defaults they have makes no difference: those of the live function are written.
    texts = {ast.dump(n.node.body) for n in same if isinstance(n.node, ast.Lambda)}
    return same[0] if same and len(texts) == 1 else None


def _alone(candidate: Found, text: Text, flags: int) -> CodeType | None:
    """The code of one of several functions on a line: it is told apart by a line number of its own."""
    mark = 1_000_000
    assert text.tree is not None
    line, end = candidate.node.lineno, candidate.node.end_lineno
    candidate.node.lineno = candidate.node.end_lineno = mark
    try:
        compiled = compile(text.tree, "<executed>", "exec", flags | TOP_LEVEL_AWAIT, dont_inherit=True)
    finally:
        candidate.node.lineno, candidate.node.end_lineno = line, end
    return next((part for part in walk(compiled) if part.co_firstlineno == mark), None)
