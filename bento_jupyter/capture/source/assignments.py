"""Declarations that are assignments: type variables, new types, aliases of types, classes made by a call."""

from __future__ import annotations

import ast
import enum
import types
import typing
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .attributes import attribute
from .graph import Node, Use
from .names import expression_reads, static_value
from .refusals import refusal
from .snippets import comments_above, cut

if TYPE_CHECKING:
    from .closure import CodeCapture

__all__ = ["declaration", "made_by_call"]

#: Expressions of types; evaluating them changes nothing.
TYPE_NODES = (
    ast.Expression,
    ast.Name,
    ast.Attribute,
    ast.Subscript,
    ast.Tuple,
    ast.List,
    ast.Constant,
    ast.BinOp,
    ast.BitOr,
    ast.Load,
    ast.Call,
    ast.keyword,
    ast.UnaryOp,
    ast.USub,
    ast.Dict,
)
TYPE_CALLS = ("TypeVar", "NewType", "ParamSpec", "TypeVarTuple", "ForwardRef")
#: Libraries whose calls in a type only say something about it: `Annotated[int, Field(gt=0)]`.
SAYING = ("annotated_types", "pydantic", "typing", "typing_extensions")


def is_type_expression(value: Any) -> bool:
    """Whether a value is something of the `typing` module: `list[int]`, `TypeVar("T")`, `int | None`."""
    kind = type(value)
    return kind.__module__ in ("typing", "typing_extensions") or kind in (types.GenericAlias, types.UnionType)


def declaration(
    capture: CodeCapture, name: str, value: Any, use: Use, lookup: Mapping[str, Any]
) -> bool | None:
    """Add a declaration of the `typing` module as it was written; None = the value is none.

    Raises:
        NotServableError: It is one, but the statement that made it is not known.
    """
    if not is_type_expression(value):
        return None
    for text, node in capture.executed.assignments(name):
        if node.value is None or not all(isinstance(part, TYPE_NODES) for part in ast.walk(node.value)):
            continue
        calls = [part for part in ast.walk(node.value) if isinstance(part, ast.Call)]
        if not all(_only_says(call, lookup) for call in calls):
            continue
        try:
            again = eval(compile(ast.Expression(node.value), "<alias>", "eval"), dict(lookup))  # noqa: S307
        except Exception:  # noqa: S112 - this statement did not make it, then
            continue
        if again == value or (type(again) is type(value) and repr(again) == repr(value)):
            _as_written(capture, name, value, use, lookup, text, node)
            return True
    raise refusal(
        f"{name!r} ({value!r}) is a type whose declaration is not known{use.where}",
        f"assign it in a cell: {name} = ...",
    )


def _only_says(call: ast.Call, lookup: Mapping[str, Any]) -> bool:
    """Whether a call in a type can be made again without doing anything."""
    if ast.unparse(call.func).rpartition(".")[2] in TYPE_CALLS:
        return True
    home = attribute(static_value(call.func, lookup, None), "__module__")
    return isinstance(home, str) and home.partition(".")[0] in SAYING


def made_by_call(capture: CodeCapture, cls: type, name: str, use: Use, lookup: Mapping[str, Any]) -> bool:
    """Add a class that a call made: `namedtuple(...)`, `Enum("E", ...)`, `create_model(...)`.

    Returns:
        Whether it is one.
    """
    if issubclass(cls, tuple) and hasattr(cls, "_fields") and cls.__bases__ == (tuple,):
        _named_tuple(capture, cls, name, use)
        return True
    if issubclass(cls, enum.Enum) and type(cls).__module__ == "enum":
        _functional_enum(capture, cls, name, use)
        return True
    for text, node in capture.executed.assignments(name):
        if not isinstance(node.value, ast.Call) or lookup.get(name) is not cls:
            return False
        reads = expression_reads(node.value)
        if any(isinstance(part, (ast.Lambda, ast.Await, ast.Yield)) for part in ast.walk(node.value)):
            return False
        later = [n for n in reads if capture.executed.bound_after(n, text.number)]
        if later:
            raise refusal(
                f"{name!r} was made by {text.place(node)}{use.where}; "
                f"{later[0]!r}, which it was made of, was bound again since",
                f"run {text.label} again",
            )
        _as_written(capture, name, cls, use, lookup, text, node)
        return True
    return False


def _as_written(  # noqa: PLR0917 - private, and all of them differ in type
    capture: CodeCapture, name: str, value: Any, use: Use, lookup: Mapping[str, Any], text: Any, node: Any
) -> None:
    place = text.place(node)
    capture.claim(name, value)
    reads = expression_reads(node.value)
    for free in sorted(reads):
        if free in lookup:
            capture.bind(free, lookup[free], Use(name, place), lookup)
    statement = "\n".join([*comments_above(text, node), cut(text, node)])
    if isinstance(node, ast.Assign) and len(node.targets) != 1:
        statement = f"{name} = {ast.unparse(node.value)}"
    capture.add(
        Node(
            name, "assignment", value, place, use, lambda: statement, reads, order=(text.number, node.lineno)
        )
    )


def _named_tuple(capture: CodeCapture, cls: Any, name: str, use: Use) -> None:
    capture.claim(name, cls)
    tool = capture.name_for(typing.cast(Any, __import__("collections")).namedtuple, "namedtuple", use)
    defaults = cls._field_defaults
    inside = Use(name, use.place)
    given = ""
    if defaults:
        values = [capture.expression(value, f"{name}_{key}", inside) for key, value in defaults.items()]
        given = f", defaults=[{', '.join(values)}]"
    text = f"{name} = {tool}({cls.__name__!r}, {list(cls._fields)!r}{given})"
    now = expression_reads(ast.parse(text.partition(" = ")[2], mode="eval").body)
    capture.add(Node(name, "assignment", cls, use.place, use, lambda: text, now))


def _functional_enum(capture: CodeCapture, cls: type[enum.Enum], name: str, use: Use) -> None:
    capture.claim(name, cls)
    inside = Use(name, use.place)
    base = capture.expression(cls.__bases__[-1], cls.__bases__[-1].__name__, inside)
    mixed = [capture.expression(b, b.__name__, inside) for b in cls.__bases__[:-1]]
    members = ", ".join(
        f"{key!r}: {capture.expression(member.value, f'{name}_{key}', inside)}"
        for key, member in cls.__members__.items()
    )
    kind = f", type={mixed[0]}" if mixed else ""
    text = f"{name} = {base}({cls.__name__!r}, {{{members}}}{kind})"
    now = expression_reads(ast.parse(text.partition(" = ")[2], mode="eval").body)
    capture.add(Node(name, "assignment", cls, use.place, use, lambda: text, now))
