"""Classes: their executed statement, with what was changed on the live class since."""

from __future__ import annotations

import ast
import re
import types
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from .assignments import made_by_call
from .attributes import private_name
from .class_search import is_descriptor, live_annotations, locate_class, own_functions
from .code_objects import FUTURES
from .decorators import as_written, layers, made_in_notebook, says
from .executed import Found
from .functions import default_edits, statement_reads_of
from .graph import Node, Use
from .modules import is_library
from .names import annotations_of, bound_names, expression_parts, statement_reads, static_value
from .refusals import no_source, refusal
from .scope import Subject, inspect_text, resolve
from .snippets import Edit, comments_above, cut, reindent_all

if TYPE_CHECKING:
    from .closure import CodeCapture

__all__ = ["capture_class"]

MISSING = object()


def managed(cls: type) -> bool:
    """Whether a metaclass or a library's base turns the statement's names into something else."""
    return (
        type(cls).__module__ not in ("builtins", "abc", "__main__")
        or "__dataclass_fields__" in cls.__dict__
        or any(name in cls.__dict__ for name in ("__attrs_attrs__", "__pydantic_fields__", "_field_defaults"))
    )


def capture_class(capture: CodeCapture, cls: type, name: str, use: Use, lookup: Mapping[str, Any]) -> None:
    """Add a class to the emitted module under `name`.

    Raises:
        NotServableError: Its text is not known, or it needs what cannot go along.
    """
    if cls.__module__ != "__main__" and is_library(cls.__module__):
        raise no_source(cls, name, use)
    found = locate_class(capture.executed, cls)
    if found is None:
        if made_by_call(capture, cls, name, use, lookup):
            return
        raise no_source(cls, name, use)
    Statement(capture, cls, found, name, use, lookup).add()


class Statement:
    """Writes one class statement again.

    Args:
        capture: The closure it belongs to.
        cls: The live class.
        found: Its statement.
        name: Name in the emitted module.
        use: What needs it.
        lookup: Globals it was made in.
    """

    def __init__(  # noqa: PLR0917 - private to this module
        self, capture: CodeCapture, cls: type, found: Found, name: str, use: Use, lookup: Mapping[str, Any]
    ) -> None:
        self.capture, self.cls, self.found, self.name, self.use = capture, cls, found, name, use
        self.node: ast.ClassDef = found.node
        self.inside = Use(name, found.place)
        self.edits: list[Edit] = []
        self.drop: list[ast.expr] = []
        self.codes: list[types.CodeType] = []
        self.cells: dict[str, Any] = {}
        self.later: list[tuple[str, Any]] = []
        self.extra: list[str] = []
        functions = [f for f in own_functions(cls) if f.__globals__.get("__name__") == cls.__module__]
        self.lookup: Mapping[str, Any] = functions[0].__globals__ if functions else lookup

    def add(self) -> None:
        """Add it, and what it reads."""
        capture, node, name = self.capture, self.node, self.name
        self._check_text()
        self._bases()
        self._decorators()
        stored = self._body()
        self._additions(stored)
        parameters = self._captured()
        inspect_text(self.found, name)
        body = cut(self.found.text, node, self.edits, drop=self.drop)
        self._check_settled(body)
        self._resolve(body, set(parameters))
        own_name = node.name
        if own_name != name and own_name in self.lookup and self.lookup[own_name] is not self.cls:
            # `_Model` has the same private names (`__x`) as `Model`, and does not hide what `Model` is now.
            own_name = f"_{node.name}"
            body = re.sub(rf"^class\s+{node.name}\b", f"class {own_name}", body, count=1, flags=re.MULTILINE)
            body += f"\n\n{own_name}.__name__ = {own_name}.__qualname__ = {node.name!r}"
        if parameters or node.name != name:
            maker = capture.free_name(f"make_{name}", None)
            given = ", ".join(f"{k}={v}" for k, v in parameters.items())
            body = (
                f"def {maker}({', '.join(parameters)}):\n{reindent_all(body)}\n\n    return {own_name}\n\n\n"
                f"{name} = {maker}({given})"
            )
        text = "\n".join([*comments_above(self.found.text, node), body])
        now, later = statement_reads_of(text)
        order = (self.found.text.number, node.lineno)
        capture.add(
            Node(
                name,
                "class",
                self.cls,
                self.found.place,
                self.use,
                self._renderer(text),
                now,
                later,
                order,
                self.codes,
            )
        )
        for line in self.extra:
            capture.after(name, line.format(name), set())
        for attribute, value in self.later:
            self._assign(attribute, value)

    def _private(self, name: str) -> str:
        """The name that an attribute of the statement has in the live class: `_Model__x` for `__x`."""
        return private_name(self.node.name, name)

    def _future(self) -> int:
        """Flag of `from __future__ import annotations`, if the class was compiled under it."""
        if self.codes:
            return self.codes[0].co_flags & FUTURES
        notes = live_annotations(self.cls) or {}
        written = [note for note in annotations_of(self.node) if isinstance(note, ast.Constant)]
        return FUTURES if notes and not written and all(isinstance(v, str) for v in notes.values()) else 0

    def _renderer(self, text: str) -> Callable[[], str]:
        return self.capture.renderer(
            text, compile("", "", "exec", self._future(), dont_inherit=True), self.node
        )

    def _check_text(self) -> None:
        if not self.found.text.compiled():
            raise no_source(self.cls, self.name, self.use)

    def _bases(self) -> None:
        live = list(getattr(self.cls, "__orig_bases__", self.cls.__bases__))
        written = [b for b in self.node.bases if not isinstance(b, ast.Starred)]
        if len(live) == len(written):
            for expression, base in zip(written, live, strict=True):
                self._point_to(expression, base)
        for keyword in self.node.keywords:
            if keyword.arg == "metaclass":
                self._point_to(keyword.value, type(self.cls))

    def _point_to(self, expression: ast.expr, value: Any) -> None:
        """A base that is another object now than when the class was made goes by the name it gets here."""
        now = static_value(expression, self.lookup, MISSING)
        if isinstance(expression, (ast.Name, ast.Attribute)) and now is not value and isinstance(value, type):
            self.edits.append(Edit(expression, self.capture.name_for(value, value.__name__, self.inside)))

    def _decorators(self) -> None:
        for decorator in self.node.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            made_by = static_value(called, self.lookup, MISSING)
            home = getattr(made_by, "__module__", None)
            if made_by is MISSING or not isinstance(home, str) or home == "__main__" or not is_library(home):
                self.drop.append(decorator)  # what it did is read from the live class

    def _body(self) -> set[str]:
        stored: set[str] = set()
        is_managed = managed(self.cls)
        for statement in self.node.body:
            if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
                stored.add(self._private(statement.name))
                self._method(statement)
            elif isinstance(statement, ast.ClassDef):
                stored.add(self._private(statement.name))
            elif isinstance(statement, ast.Assign):
                for target in statement.targets:
                    stored.update(self._private(n.id) for n in ast.walk(target) if isinstance(n, ast.Name))
                if len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name):
                    self._attribute(statement.targets[0].id, statement.value, is_managed)
            elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                stored.add(self._private(statement.target.id))
                if statement.value is not None:
                    self._attribute(statement.target.id, statement.value, is_managed)
            else:
                stored.update(
                    self._private(n.id)
                    for n in ast.walk(statement)
                    if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
                )
        return stored

    def _method(self, statement: Any) -> None:
        name = self._private(statement.name)
        live = self.cls.__dict__.get(name, MISSING)
        first = min([statement.lineno, *(d.lineno for d in statement.decorator_list)])
        for layer in layers(live) if live is not MISSING else ():
            if not isinstance(layer, types.FunctionType) or layer.__code__.co_firstlineno != first:
                continue
            if not self.found.text.has(layer.__code__):
                continue
            self._own_method(statement, live, layer)
            return
        overloads = [s for s in self.node.body if getattr(s, "name", "") == statement.name]
        if len(overloads) > 1 and overloads[-1] is not statement:
            return  # the last of them counts
        if live is not MISSING and not managed(self.cls):
            self.later.append((name, live))
        elif live is MISSING and not managed(self.cls):
            self.extra.append(f"del {{0}}.{name}")

    def _own_method(self, statement: Any, live: Any, function: types.FunctionType) -> None:
        edits, extra = default_edits(
            self.capture,
            function,
            statement,
            f"{self.name}_{statement.name}",
            self.inside,
            nested=self.found.nested,
        )
        local = {n for s in self.node.body for n in bound_names(s)}
        self.edits += [e for e in edits if not (isinstance(e.node, ast.Name) and e.node.id in local)]
        own_name = self._private(statement.name)
        self.extra += [line.replace("{0}", f"{{0}}.{own_name}") for line in extra]
        self.codes.append(function.__code__)
        for variable, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
            if variable == "__class__" or variable in {p.name for p in getattr(self.node, "type_params", ())}:
                continue
            try:
                self.cells[variable] = cell.cell_contents
            except ValueError:
                continue
        own = [
            d
            for d in statement.decorator_list
            if static_value(d.func if isinstance(d, ast.Call) else d, self.lookup, MISSING) is not MISSING
        ]
        made = [static_value(d.func if isinstance(d, ast.Call) else d, self.lookup, MISSING) for d in own]
        if any(getattr(m, "__module__", "") == "__main__" for m in made):
            inner = live.__func__ if isinstance(live, (staticmethod, classmethod)) else live
            written = as_written(self.capture.executed, inner)
            if written is None or written.function is not function:
                self.later.append((own_name, live))
                self.drop += statement.decorator_list
            else:
                self.drop += written.drop

    def _attribute(self, name: str, expression: ast.expr, is_managed: bool) -> None:
        attribute = self._private(name)
        live = self.cls.__dict__.get(attribute, MISSING)
        if live is MISSING:
            if not is_managed and not attribute.startswith("__"):
                self.extra.append(f"del {{0}}.{attribute}")
            return
        if says(expression, live, self.lookup) or attribute in ("__slots__", "__doc__", "__module__"):
            return
        names, later = expression_parts(expression)
        if self._is_declared(live):
            self._refuse_rebound(names | later)
            return
        if is_managed:
            if (
                not names
                and not later
                and "__dataclass_fields__" in self.cls.__dict__
                and _literal(expression)
            ):
                self.later.append((attribute, live))
            return
        local = {n for s in self.node.body for n in bound_names(s)}
        if (
            isinstance(expression, ast.Lambda)
            or is_descriptor(live)
            or isinstance(live, types.MemberDescriptorType)
        ):
            for layer in layers(live):
                if isinstance(layer, types.FunctionType):
                    found = self.capture.executed.locate(layer.__code__)
                    if found is not None and found.node is expression:
                        self.codes.append(layer.__code__)
                        return
            if isinstance(expression, ast.Lambda):
                self.later.append((attribute, live))
            return
        if _literal(expression):
            self.later.append((attribute, live))
            return
        if (names | later) & local and not self._outside(attribute, live):
            return
        self.edits.append(
            Edit(expression, self.capture.expression(live, f"{self.name}_{attribute}", self.inside))
        )

    def _is_declared(self, live: Any) -> bool:
        """Whether an attribute is a declaration to a library, such as `bentoml.depends(Other)`."""
        home = type(live).__module__
        if home.partition(".")[0] in ("bentoml", "_bentoml_sdk", "_bentoml_impl"):
            return True
        plain = isinstance(live, (types.FunctionType, type)) or home == "builtins"
        return hasattr(type(live), "__get__") and not plain and home != "__main__" and is_library(home)

    def _refuse_rebound(self, names: set[str]) -> None:
        """Refuse names that were bound again after the class was made with them."""
        for name in sorted(names):
            newer = self.capture.executed.bound_after(name, self.found.text.number)
            if newer is not None and not isinstance(self.lookup.get(name), types.ModuleType):
                raise refusal(
                    f"class {self.name!r} ({self.found.place}) was made with a {name!r} "
                    f"that {newer.label} replaced since",
                    f"run {self.found.text.label} again",
                )

    def _outside(self, attribute: str, live: Any) -> bool:
        """Whether an attribute computed from others of the class is a plain value, and can be written out."""
        return not callable(live)

    def _additions(self, stored: set[str]) -> None:
        """What the live class has beyond its statement: assigned from outside, or by a decorator."""
        foreign = managed(self.cls) or any(
            b.__module__ not in ("builtins", "__main__") for b in self.cls.__mro__
        )
        for attribute, value in list(self.cls.__dict__.items()):
            if attribute in stored:
                continue
            inner = written_function(value)
            if isinstance(inner, types.FunctionType):
                if made_in_notebook(inner) and self.capture.executed.locate(inner.__code__) is not None:
                    self.later.append((attribute, value))
                continue
            if attribute.startswith("__") or (foreign and attribute.startswith("_")) or managed(self.cls):
                continue
            if hasattr(type(value), "__get__") or hasattr(type(value), "__set_name__"):
                continue
            self.later.append((attribute, value))

    def _assign(self, attribute: str, value: Any) -> None:
        wrapper = ""
        if isinstance(value, (staticmethod, classmethod)):
            wrapper, value = type(value).__name__, value.__func__
        if isinstance(value, property):
            parts = [
                f"{key}={self.capture.expression(part, f'{self.name}_{attribute}', self.inside)}"
                for key, part in (("fget", value.fget), ("fset", value.fset), ("fdel", value.fdel))
                if part is not None
            ]
            text = f"property({', '.join(parts)})"
        else:
            preferred = getattr(value, "__name__", attribute) if callable(value) else attribute
            preferred = attribute if "<" in preferred else preferred
            text = self.capture.expression(value, f"{self.name}_{preferred}", self.inside)
        text = f"{wrapper}({text})" if wrapper else text
        names, _ = statement_reads_of(text)
        data = not callable(value) and not is_descriptor(value)
        self.capture.after(self.name, f"{self.name}.{attribute} = {text}", names, last=data)

    def _captured(self) -> dict[str, str]:
        parameters: dict[str, str] = {}
        for variable, value in self.cells.items():
            if value is self.cls and variable == self.node.name:
                continue
            parameters[variable] = self.capture.expression(value, variable, self.inside)
        return parameters

    def _resolve(self, body: str, own: set[str]) -> None:
        """Bind what the statement reads; names that stand for changed parts are bound already."""
        statement = ast.parse(body).body[0]
        code = compile(
            ast.Module([statement], []),
            "<names>",
            "exec",
            ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | self._future(),
            dont_inherit=True,
        )
        introduced = {name for edit in self.edits for name in _names(edit.text)}
        other = {n for n in introduced if n in self.lookup and not self.capture.knows(n, self.lookup[n])}
        before, when_called = statement_reads(self.node)
        if other & (before | when_called):
            raise refusal(
                f"{sorted(other)[0]!r} means two things in class {self.name!r} ({self.found.place})",
                "give one of them another name",
            )
        own |= {n for n in introduced if n not in self.lookup} | other
        resolve(self.capture, Subject(self.name, self.found, self.lookup, frozenset(own)), [code])

    def _check_settled(self, body: str) -> None:
        """Refuse names of a managed class that were bound again since: it would be another class."""
        if not managed(self.cls):
            return
        bound = {target for s in self.node.body for target in bound_names(s)}
        expressions = [
            s.value
            for s in self.node.body
            if isinstance(s, (ast.Assign, ast.AnnAssign)) and s.value is not None
        ]
        if not expressions:
            return
        names: set[str] = set()
        for expression in expressions:
            now, _ = expression_parts(expression)
            names |= now
        self._refuse_rebound({n for n in names - bound if not isinstance(self.lookup.get(n), type)})


def written_function(value: Any) -> Any:
    """The function in a static or class method or a property; else the value itself."""
    if isinstance(value, (staticmethod, classmethod)):
        return value.__func__
    return value.fget if isinstance(value, property) and value.fget is not None else value


def _names(text: str) -> set[str]:
    return {n.id for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name)}


def _literal(expression: ast.expr) -> bool:
    try:
        ast.literal_eval(expression)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True
