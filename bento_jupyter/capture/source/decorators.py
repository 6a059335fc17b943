"""Decorators: what wraps what, and whether a decorated statement, run again, gives what the kernel has."""

from __future__ import annotations

import ast
import inspect
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .attributes import attribute
from .code_objects import walk
from .executed import Found
from .names import expression_reads, static_value

if TYPE_CHECKING:
    from .executed import Executed

__all__ = ["Written", "as_written", "cells_of", "is_wrapper", "layers", "made_in_notebook", "says"]

MISSING = object()
#: How deep decorators may be stacked.
DEPTH = 8
#: Decorators of the standard library that never give back what they got.
ALWAYS_WRAP = ("lru_cache", "cache", "contextmanager", "asynccontextmanager", "singledispatch", "partial")


@dataclass
class Written:
    """A function statement, and the decorators of it that are written again.

    Attributes:
        function: The function that the statement itself made.
        found: The statement.
        drop: Decorators that are left out: they gave back what they got; what they did to it is written out.
    """

    function: types.FunctionType
    found: Found
    drop: list[ast.expr] = field(default_factory=list)


def is_wrapper(value: Any) -> bool:
    """Whether a value is what a decorator made of a function, such as `functools.lru_cache`'s."""
    return (
        not isinstance(value, (types.FunctionType, type))
        and isinstance(attribute(value, "__wrapped__"), types.FunctionType)
        and callable(value)
    )


def made_in_notebook(function: Any) -> bool:
    """Whether a function's code ran in the notebook itself, not in a module."""
    return isinstance(function, types.FunctionType) and function.__globals__.get("__name__") == "__main__"


def is_notebook_class(value: Any) -> bool:
    """Whether a value is a class of the notebook."""
    return isinstance(value, type) and value.__module__ == "__main__"


def layers(value: Any) -> Iterator[Any]:
    """A callable and what is wrapped in it, the outermost first."""
    seen: set[int] = set()
    todo = [(value, 0)]
    while todo:
        at, depth = todo.pop(0)
        if id(at) in seen or depth > DEPTH:
            continue
        seen.add(id(at))
        yield at
        inner = [attribute(at, "__wrapped__"), attribute(at, "__func__")]
        if isinstance(at, types.FunctionType):
            inner += [content for _, content in cells_of(at)]
        elif not isinstance(at, type):
            inner += [attribute(at, name) for name in ("func", "fget", "fset", "fdel", "wrapped")]
        todo += [
            (part, depth + 1)
            for part in inner
            if callable(part) or isinstance(part, (staticmethod, classmethod))
        ]


def cells_of(function: types.FunctionType) -> list[tuple[str, Any]]:
    """Captured variables of a closure; those that have no value (yet) are left out."""
    found = []
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        try:
            found.append((name, cell.cell_contents))
        except ValueError:
            continue
    return found


def as_written(executed: Executed, value: Any) -> Written | None:
    """The statement that made `value`, if its decorators can be proven to be those that were applied."""
    inner_first = [*(layer for layer in layers(value) if layer is not value), value]
    for layer in inner_first:
        if not isinstance(layer, types.FunctionType):
            continue
        found = executed.locate(layer.__code__)
        if found is None or isinstance(found.node, ast.Lambda):
            if layer is value:
                return None if found is None else Written(layer, found)
            continue
        if layer is not value and (found.nested or not found.node.decorator_list):
            continue
        drop = _verify(executed, value, found.node.decorator_list, layer, found)
        if drop is not None:
            return Written(layer, found, drop)
    return None


def _verify(
    executed: Executed, value: Any, decorators: list[ast.expr], function: types.FunctionType, found: Found
) -> list[ast.expr] | None:
    """Decorators that left no trace; None = these are not the ones that made `value` of `function`."""
    current, drop = value, []
    for decorator in decorators:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        made_by = static_value(called, function.__globals__, MISSING)
        if current is function:
            known = getattr(made_by, "__name__", "") in ALWAYS_WRAP
            if made_by is MISSING or made_in_notebook(made_by) or known or is_notebook_class(made_by):
                drop.append(decorator)
            continue
        if made_by is MISSING:
            return None
        inner = _inner(current, function)
        if isinstance(made_by, types.FunctionType) and made_in_notebook(made_by):
            if not (isinstance(current, types.FunctionType) and _made_by(current, made_by)):
                return None
            if not _cells_as_written(executed, current, made_by, decorator, inner, function.__globals__):
                return None
        elif not (
            _root(made_by)
            and _root(made_by) == _root(current)
            and _settled(executed, decorator, function, found)
        ):
            return None
        current = inner
    return drop if current is function else None


def _inner(current: Any, function: types.FunctionType) -> Any:
    direct = getattr(current, "__wrapped__", None)
    if direct is not None and any(layer is function for layer in layers(direct)):
        return direct
    if isinstance(current, types.FunctionType):
        for _, content in cells_of(current):
            if (
                content is not current
                and callable(content)
                and any(layer is function for layer in layers(content))
            ):
                return content
    return MISSING


def _made_by(current: types.FunctionType, decorator: types.FunctionType) -> bool:
    return any(part is current.__code__ for part in walk(decorator.__code__))


def _root(value: Any) -> str:
    if isinstance(value, types.FunctionType):
        module = value.__globals__.get("__name__")
    elif isinstance(value, (type, types.BuiltinFunctionType)):
        module = value.__module__
    else:
        module = type(value).__module__  # what wraps a function often names the function's module as its own
    return str(module).partition(".")[0]


def _settled(executed: Executed, decorator: ast.expr, function: types.FunctionType, found: Found) -> bool:
    """Whether the arguments of a library's decorator still mean what they did."""
    if not isinstance(decorator, ast.Call):
        return True
    arguments = [*decorator.args, *(keyword.value for keyword in decorator.keywords)]
    names = {name for argument in arguments for name in expression_reads(argument)}
    return not any(executed.bound_after(name, found.text.number) for name in names)


def _cells_as_written(  # noqa: PLR0917 - private, and all of them differ in type
    executed: Executed,
    current: types.FunctionType,
    made_by: types.FunctionType,
    decorator: ast.expr,
    inner: Any,
    lookup: Mapping[str, Any],
) -> bool:
    """Whether a decorator, applied again, would give its wrapper the values that it has now."""
    arguments: dict[str, ast.expr | Any] = {}
    if isinstance(decorator, ast.Call):
        try:
            bound = inspect.signature(made_by).bind(
                *decorator.args, **{keyword.arg or "": keyword.value for keyword in decorator.keywords}
            )
        except (TypeError, ValueError):
            return False
        arguments = dict(bound.arguments)
        for parameter in inspect.signature(made_by).parameters.values():
            if parameter.default is not parameter.empty:
                arguments.setdefault(parameter.name, parameter)
    found = executed.locate(made_by.__code__)
    for name, content in cells_of(current):
        if content is inner or content is current:
            continue
        given = arguments.get(name, MISSING)
        if isinstance(given, inspect.Parameter):
            if given.default is content:
                continue
            return False
        if isinstance(given, ast.expr):
            if says(given, content, lookup):
                continue
            return False
        stores = [] if found is None else _assigned(found.node, name)
        if len(stores) != 1 or stores[0] is None or not says(stores[0], content, {}):
            return False
    return True


def _assigned(node: ast.AST, name: str) -> list[ast.expr | None]:
    """What a variable is assigned in a function, each time; None = something that cannot be told."""
    found: list[ast.expr | None] = []
    simple: set[int] = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Assign) and len(part.targets) == 1 and isinstance(part.targets[0], ast.Name):
            if part.targets[0].id == name:
                found.append(part.value)
            simple.add(id(part.targets[0]))
    for part in ast.walk(node):
        if (
            isinstance(part, ast.Name)
            and part.id == name
            and isinstance(part.ctx, ast.Store)
            and id(part) not in simple
        ):
            found.append(None)
    return found


def says(expression: ast.expr, value: Any, lookup: Mapping[str, Any]) -> bool:
    """Whether an expression, evaluated now, gives this very value; decided without running it."""
    try:
        written = ast.literal_eval(expression)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return static_value(expression, lookup, MISSING) is value
    return type(written) is type(value) and repr(written) == repr(value)
