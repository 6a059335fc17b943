"""The class statement that made a live class: by its methods, or by comparing what is left of it."""

from __future__ import annotations

import ast
import enum
import inspect
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .attributes import attribute
from .decorators import layers
from .executed import Found, Text, classes_in

if TYPE_CHECKING:
    from .executed import Executed

__all__ = ["is_descriptor", "live_annotations", "locate_class", "own_functions"]


def locate_class(executed: Executed, cls: type) -> Found | None:
    """The class statement that made a live class; None = its text is not known."""
    for function in own_functions(cls):
        found = executed.locate(function.__code__)
        if found is None:
            continue
        for depth in range(len(found.parents) - 1, -1, -1):
            parent = found.parents[depth]
            if isinstance(parent, ast.ClassDef) and parent.name == cls.__name__.rpartition(".")[2]:
                return Found(found.text, parent, found.parents[:depth])
    name = cls.__qualname__
    candidates = [found for found in executed.classes(name) if _matches(cls, found.node)]
    line = cls.__dict__.get("__firstlineno__")
    if line is not None:  # Python 3.13
        first = [
            f for f in candidates if min([f.node.lineno, *(d.lineno for d in f.node.decorator_list)]) == line
        ]
        candidates = first or candidates
    if candidates:
        return candidates[0]
    return next((f for f in _file_classes(cls) if _matches(cls, f.node)), None)


def _file_classes(cls: type) -> Iterator[Found]:
    """Class statements of the script that was run as `__main__` in plain Python."""
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    if isinstance(file, str) and Path(file).suffix == ".py" and Path(file).is_file():
        yield from classes_in(Text(Path(file).name, Path(file).read_text(encoding="utf-8")), cls.__qualname__)


def own_functions(cls: type) -> Iterator[types.FunctionType]:
    """Functions that were written in the class statement, as far as their names tell."""
    for value in list(cls.__dict__.values()):
        if isinstance(value, type):
            continue
        for layer in layers(value) if callable(value) or is_descriptor(value) else ():
            if isinstance(layer, types.FunctionType) and _written_here(layer, cls):
                yield layer


def _written_here(function: types.FunctionType, cls: type) -> bool:
    """Whether a function was made by the class statement; generated ones (dataclasses) have no text."""
    return (
        function.__qualname__.startswith(f"{cls.__qualname__}.")
        and function.__globals__.get("__name__") == cls.__module__
        and not function.__code__.co_filename.startswith("<string")
    )


def is_descriptor(value: Any) -> bool:
    """Whether a class attribute is made of functions: properties, static methods and the like."""
    return (
        isinstance(value, (property, staticmethod, classmethod))
        or attribute(value, "func") is not None
        or attribute(value, "wrapped") is not None
    )


def _matches(cls: type, node: ast.ClassDef) -> bool:
    """Whether a class statement without methods of its own can have made a live class."""
    live = dict(cls.__dict__)
    fields = {*getattr(cls, "__dataclass_fields__", ()), *getattr(cls, "model_fields", ())}
    fields |= set(getattr(cls, "_fields", ()))
    notes = live_annotations(cls)
    written_notes: dict[str, ast.expr] = {}
    names: set[str] = set()
    for statement in node.body:
        if isinstance(statement, ast.Assign):
            targets = [t.id for t in statement.targets if isinstance(t, ast.Name)]
            names.update(targets)
            for target in targets:
                if not _says_field(cls, target, statement.value):
                    return False
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            written_notes[statement.target.id] = statement.annotation
            if statement.value is not None and not _says_field(cls, statement.target.id, statement.value):
                return False
    doc = ast.get_docstring(node, clean=False)
    if doc is not None and (cls.__doc__ or "").split() != doc.split():
        return False
    if not names <= {*live, *fields} and not issubclass(cls, enum.Enum):
        return False
    if notes is not None and list(notes) != list(written_notes):
        return False
    if notes is not None and any(not _note_says(written_notes[k], v) for k, v in notes.items()):
        return False
    if issubclass(cls, enum.Enum) and not set(cls.__members__) <= names:
        return False
    bases = [b for b in getattr(cls, "__orig_bases__", cls.__bases__) if b is not object]
    return len(bases) == len([b for b in node.bases if ast.unparse(b) != "object"])


def live_annotations(cls: type) -> dict[str, Any] | None:
    """Annotations of a class itself; None = they cannot be evaluated."""
    try:
        return dict(inspect.get_annotations(cls))
    except Exception:  # the names in them may be gone
        return None


def _note_says(written: ast.expr, live: Any) -> bool:
    text = ast.unparse(written)
    if isinstance(live, str):
        return live == text or (isinstance(written, ast.Constant) and written.value == live)
    if isinstance(written, ast.Constant) and isinstance(written.value, str):
        return True
    if isinstance(live, type) and not hasattr(live, "__args__"):
        return text.rpartition(".")[2] == live.__name__ or text in ("None",) or "[" in text
    return True


def _says_field(cls: type, name: str, written: ast.expr) -> bool:
    """Whether a literal in a class statement is the value that the class began with."""
    try:
        value = ast.literal_eval(written)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return True
    if issubclass(cls, enum.Enum):
        member = cls.__members__.get(name)
        return member is None or value in (member.value, member._value_)
    field = getattr(cls, "__dataclass_fields__", {}).get(name) or getattr(cls, "model_fields", {}).get(name)
    defaults = getattr(cls, "_field_defaults", {})
    if name in defaults:
        return repr(defaults[name]) == repr(value)
    if field is not None:
        return repr(field.default) == repr(value)
    return True
