"""Which names a text needs, and when: while it is executed, or only when what it defines is called."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable, Iterator
from types import CodeType
from typing import Any

from .code_objects import reads

__all__ = [
    "BUILTINS",
    "MODULE_NAMES",
    "annotations_of",
    "chains",
    "dynamic_reads",
    "expression_parts",
    "expression_reads",
    "first_use",
    "imports_inside",
    "queried_names",
    "statement_reads",
    "static_value",
    "text_annotations",
]

#: What every interpreter has; what IPython adds to it is not there when the code is served.
BUILTINS = frozenset(vars(builtins)) - {"display", "get_ipython", "__IPYTHON__", "_", "exit", "quit"}
#: Names that every module has on its own.
MODULE_NAMES = frozenset(
    {"__name__", "__doc__", "__package__", "__spec__", "__file__", "__builtins__", "__loader__"}
)


def expression_reads(node: ast.expr) -> set[str]:
    """Global names that evaluating an expression reads, also in lambdas inside it."""
    now, later = expression_parts(node)
    return now | later


def expression_parts(node: ast.expr) -> tuple[set[str], set[str]]:
    """Global names that evaluating an expression reads at once, and when a lambda in it is called."""
    return reads(compile(ast.Expression(node), "<names>", "eval", dont_inherit=True))


def statement_reads(node: ast.stmt) -> tuple[set[str], set[str]]:
    """Global names that a statement reads at once, and when what it defines is called."""
    return reads(
        compile(ast.Module([node], []), "<names>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    )


def call_reads(function: ast.FunctionDef) -> set[str]:
    """Global names that a call of a function reads itself, not what it makes and does not call."""
    module = compile(ast.Module([function], []), "<names>", "exec", dont_inherit=True)
    codes = [c for c in module.co_consts if isinstance(c, CodeType) and c.co_name == function.name]
    return reads(codes[-1])[0]


def bound_names(statement: ast.stmt) -> set[str]:
    """Names that a statement binds."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {statement.name}
    return {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def annotations_of(node: ast.AST) -> Iterator[ast.expr]:
    """Annotations that belong to a function (not to functions inside it) or to a class and its methods."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        every = [
            *node.args.posonlyargs,
            *node.args.args,
            *node.args.kwonlyargs,
            node.args.vararg,
            node.args.kwarg,
        ]
        yield from (arg.annotation for arg in every if arg is not None and arg.annotation is not None)
        if node.returns is not None:
            yield node.returns
    elif isinstance(node, ast.ClassDef):
        for child in ast.walk(node):
            if isinstance(child, ast.AnnAssign):
                yield child.annotation
            elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield from annotations_of(child)


def text_annotations(node: ast.AST) -> set[str]:
    """Names in annotations that are written as text: `def f(x: "Config")`."""
    found: set[str] = set()
    for annotation in annotations_of(node):
        for part in ast.walk(annotation):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                try:
                    found |= expression_reads(ast.parse(part.value, mode="eval").body)
                except (SyntaxError, ValueError):
                    continue
    return found


def chains(node: ast.AST) -> set[tuple[str, ...]]:
    """Chains of attributes that begin with a name: `scipy.stats.norm` is `("scipy", "stats", "norm")`."""
    found: set[tuple[str, ...]] = set()
    for part in ast.walk(node):
        path: list[str] = []
        at: ast.AST = part
        while isinstance(at, ast.Attribute):
            path.insert(0, at.attr)
            at = at.value
        if path and isinstance(at, ast.Name):
            found.add((at.id, *path))
    return found


def imports_inside(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Import statements inside a function, class or module."""
    for part in ast.walk(node):
        if isinstance(part, (ast.Import, ast.ImportFrom)):
            yield part


def first_use(node: ast.AST, name: str) -> int:
    """Line of the first use of a name in `node`; that of `node` itself if it is not seen there."""
    lines = [
        part.lineno
        for part in ast.walk(node)
        if (isinstance(part, ast.Name) and part.id == name)
        or (isinstance(part, ast.Constant) and isinstance(part.value, str) and name in part.value)
    ]
    names = [part.lineno for part in ast.walk(node) if isinstance(part, ast.Name) and part.id == name]
    return min(names or lines or [getattr(node, "lineno", 0)])


def static_value(node: ast.expr, lookup: Any, missing: Any) -> Any:
    """What a name, or an attribute of a module or class, is now; `missing` for any other expression."""
    if isinstance(node, ast.Name):
        return lookup.get(node.id, getattr(builtins, node.id, missing))
    if isinstance(node, ast.Attribute):
        import types

        owner = static_value(node.value, lookup, missing)
        if isinstance(owner, types.ModuleType):
            return getattr(owner, node.attr, missing)  # modules may bring their parts lazily
        if isinstance(owner, type):
            return owner.__dict__.get(node.attr, missing)
    return missing


def dynamic_reads(node: ast.AST, shadowed: Iterable[str] = ()) -> tuple[set[str], list[tuple[str, int]]]:
    """Names that are looked up by text: those that can be told, and calls whose names cannot.

    Returns:
        Names (`globals()["threshold"]`), and (function, line) of each call that may read any name.
    """
    names: set[str] = set()
    unknown: list[tuple[str, int]] = []
    hidden = set(shadowed)
    told: set[int] = set()
    for part in ast.walk(node):
        call, key = _globals_lookup(part)
        if call is not None and key is not None:
            names.add(key)
            told.add(id(call))
    for part in ast.walk(node):
        if not (isinstance(part, ast.Call) and isinstance(part.func, ast.Name)) or part.func.id in hidden:
            continue
        function = part.func.id
        if function == "globals" and id(part) not in told:
            unknown.append((function, part.lineno))
        elif function in ("eval", "exec") and len(part.args) < 2 and not part.keywords:
            text = part.args[0] if part.args else None
            if isinstance(text, ast.Constant) and isinstance(text.value, str):
                try:
                    now, later = reads(compile(text.value, "<names>", function, dont_inherit=True))
                    names |= now | later
                    continue
                except (SyntaxError, ValueError):
                    pass
            unknown.append((function, part.lineno))
    return names, unknown


def queried_names(node: ast.AST) -> set[str]:
    """Names that pandas reads by text: `frame.query("age > @limit")`, `frame.eval("age * @rate")`."""
    names: set[str] = set()
    for part in ast.walk(node):
        is_query = isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute)
        if is_query and part.func.attr in ("query", "eval"):  # type: ignore[attr-defined]
            for text in (each for each in ast.walk(part) if isinstance(each, ast.Constant)):
                if isinstance(text.value, str):
                    names.update(re.findall(r"@([A-Za-z_]\w*)", text.value))
    return names


def _globals_lookup(node: ast.AST) -> tuple[ast.Call | None, str | None]:
    """`globals()["x"]` and `globals().get("x")`."""
    if isinstance(node, ast.Subscript):
        base, key = node.value, node.slice
    elif (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "get"
        and node.args
    ):
        base, key = node.func.value, node.args[0]
    else:
        return None, None
    if not (isinstance(base, ast.Call) and isinstance(base.func, ast.Name) and base.func.id == "globals"):
        return None, None
    return base, key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else None
