"""Cutting statements out of a text: comments kept, parts replaced, indentation changed."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass

from .executed import Text

__all__ = ["Edit", "comments_above", "cut", "indent_of", "reindent", "reindent_all", "remarks", "segment"]


@dataclass(frozen=True)
class Edit:
    """A part of a text that is written differently.

    Attributes:
        node: What is replaced: any node that has a position.
        text: What stands there instead.
    """

    node: ast.expr
    text: str


def segment(text: Text, node: ast.AST, edits: Iterable[Edit] = ()) -> str:
    """Exactly the text of `node`, with `edits` made."""
    return _between(text, _begin(node), _end(node), edits)


def cut(text: Text, node: ast.stmt, edits: Iterable[Edit] = (), *, drop: Iterable[ast.expr] = ()) -> str:
    """The whole lines of a statement, with comments inside and behind, moved to the left margin.

    Args:
        text: Where it is.
        node: A function, class or other statement.
        edits: Parts that are written differently.
        drop: Decorators that are left out.
    """
    dropped = list(drop)
    decorators = [d for d in getattr(node, "decorator_list", ()) if d not in dropped]
    first = min([node.lineno, *(d.lineno for d in decorators)])
    last = _trailing(text, node)
    column = 0 if decorators or _alone(text, node) else node.col_offset
    content = _between(text, (first, column), (last, len(text.lines[last - 1].encode())), edits).rstrip("\n")
    if dropped:
        for decorator in sorted(dropped, key=lambda d: -d.lineno):
            if decorator.lineno < first:
                continue
            lines = content.splitlines(keepends=True)
            begin = decorator.lineno - first
            del lines[begin : begin + (decorator.end_lineno or decorator.lineno) - decorator.lineno + 1]
            content = "".join(lines)
    return reindent(content, "")


def comments_above(text: Text, node: ast.stmt) -> list[str]:
    """Comment lines directly above a statement, at the left margin."""
    line = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))]) - 1
    found: list[str] = []
    indent = indent_of(text.lines[line])
    while line > 0 and text.lines[line - 1].startswith(f"{indent}#"):
        comment = text.lines[line - 1].strip()
        if comment.startswith("# %%"):
            break
        found.insert(0, comment)
        line -= 1
    return found


def remarks(text: Text, node: ast.stmt) -> str:
    """All comments of a statement: those above it and inside."""
    inside = [line for line in text.lines[node.lineno - 1 : _trailing(text, node)] if "#" in line]
    return "\n".join([*comments_above(text, node), *inside])


def indent_of(content: str) -> str:
    """White space that the first line begins with."""
    return content[: len(content) - len(content.lstrip(" \t"))]


def reindent(content: str, indent: str) -> str:
    """Move a statement to another indentation; lines that begin inside a text literal stay as they are."""
    old = indent_of(content)
    if old == indent:
        return content
    inside = _inside_literals(content, old)
    moved = []
    for number, line in enumerate(content.splitlines(keepends=True), 1):
        if number in inside:
            moved.append(line)
        elif not line.strip():
            moved.append("\n" if line.endswith("\n") else "")
        else:
            moved.append(indent + (line[len(old) :] if line.startswith(old) else line.lstrip(" \t")))
    return "".join(moved)


def reindent_all(content: str) -> str:
    """Indent statements as the body of a function; lines that begin inside a text literal stay."""
    inside = _inside_literals(content, "")
    return "".join(
        line if number in inside or not line.strip() else f"    {line}"
        for number, line in enumerate(content.splitlines(keepends=True), 1)
    )


def _inside_literals(content: str, indent: str) -> set[int]:
    """Numbers of the lines whose beginning is part of a text literal."""
    wrapped = f"if 1:\n{content}" if indent else content
    shift = 1 if indent else 0
    tree = ast.parse(wrapped)
    kinds: tuple[type[ast.AST], ...] = (ast.JoinedStr,)
    if hasattr(ast, "TemplateStr"):
        kinds = (*kinds, ast.TemplateStr)
    inside: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, kinds) or (
            isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes))
        ):
            first, last = node.lineno, node.end_lineno or node.lineno  # type: ignore[attr-defined]
            inside.update(line - shift for line in range(first + 1, last + 1))
    return inside


def _alone(text: Text, node: ast.stmt) -> bool:
    """Whether nothing but white space stands in front of the statement on its line."""
    return not text.lines[node.lineno - 1].encode()[: node.col_offset].strip()


def _trailing(text: Text, node: ast.stmt) -> int:
    """The last line of a block: comments that are indented like its body belong to it."""
    last = node.end_lineno or node.lineno
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return last
    line = last
    for number in range(last + 1, len(text.lines) + 1):
        content = text.lines[number - 1]
        if content.lstrip().startswith("#") and len(indent_of(content)) > node.col_offset:
            line = number
        elif content.strip():
            break
    return line


def _begin(node: ast.AST) -> tuple[int, int]:
    return node.lineno, node.col_offset  # type: ignore[attr-defined]


def _end(node: ast.AST) -> tuple[int, int]:
    return node.end_lineno, node.end_col_offset  # type: ignore[attr-defined]


def _between(text: Text, begin: tuple[int, int], end: tuple[int, int], edits: Iterable[Edit]) -> str:
    lines = [line.encode() for line in text.lines]
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    whole = b"".join(lines)

    def offset(position: tuple[int, int]) -> int:
        return starts[position[0] - 1] + position[1]

    low, high = offset(begin), offset(end)
    pieces: list[bytes] = []
    at = low
    for edit in sorted(edits, key=lambda e: _begin(e.node)):
        start, stop = offset(_begin(edit.node)), offset(_end(edit.node))
        if start < at or stop > high:
            continue  # inside another edit, or not part of this piece
        pieces += [whole[at:start], edit.text.encode()]
        at = stop
    pieces.append(whole[at:high])
    return b"".join(pieces).decode()
