"""The closure of what is served: every function, class, constant, import and object that it reads.

Names are resolved as they are in the kernel now, each in the globals of the function that reads it. The
emitted module has one set of globals: a name that means two things is refused, never guessed.
"""

from __future__ import annotations

import builtins
import keyword
import re
import types
from collections.abc import Callable, Mapping
from typing import Any

from bento_jupyter.capture.parts import (
    NOTEBOOK_MODULE,
    DataObject,
    Definition,
    Home,
    Loader,
    Place,
    ProjectModule,
)

from .attributes import attribute
from .class_search import locate_class
from .classes import capture_class
from .code_objects import future_annotations
from .decorators import is_wrapper, layers
from .emit import Module, as_text
from .executed import Executed
from .functions import capture_function
from .graph import Node, Use, eager_names, needs, ordered
from .imports import Imports
from .literals import NotLiteral
from .names import BUILTINS, annotations_of
from .refusals import no_source, refusal, two_meanings
from .stale import Stale
from .values import Values

__all__ = ["CodeCapture"]

#: Values without an identity that matters.
IMMUTABLE = (int, float, complex, str, bytes, bool, type(None), type(Ellipsis), range)


class CodeCapture:
    """Captures the code of the notebook, and names the objects that have to go along.

    Args:
        namespace: The notebook's globals; `{}` in plain Python.
        module: Name of the emitted module.

    Example:
        >>> capture = CodeCapture(get_ipython().user_ns)        # doctest: +SKIP
        >>> capture.refer(predict, "the endpoint")              # doctest: +SKIP
        Home(module='notebook_code', name='predict', library=False)
        >>> print(capture.source({}))                           # doctest: +SKIP
    """

    def __init__(self, namespace: Mapping[str, Any], module: str = NOTEBOOK_MODULE) -> None:
        self.namespace = namespace
        self.module = module
        self.executed = Executed(namespace)
        self.imported = Imports(self)
        self.warnings: list[str] = []
        self._stale = Stale(self.executed, self.warn)
        self._kept = Values(self)
        self._values: dict[str, Any] = {}
        self._names: dict[int, str] = {}
        self._nodes: dict[str, Node] = {}
        self._builtins: dict[str, str] = {}
        self._given: set[str] = set()
        self._open: list[str] = []
        self._cells: dict[int, tuple[Any, str, bool]] = {}
        self._futures: dict[str, bool] = {}

    # --- what others see

    def refer(self, obj: Any, why: str) -> Home:
        """Where the code of a class or function will live; it is captured when need be.

        Args:
            obj: A class, or anything callable that is made of a function.
            why: What needs it, for people.

        Raises:
            NotServableError: It can live nowhere else: it has no source, holds a handle or a secret, or a
                name in it has two meanings.
        """
        use = Use(why=why)
        known = self._names.get(id(obj))
        if known is None:
            home = self.imported.home(obj, why)
            if home is not None:
                return home
            owner = self._owner(obj)
            if owner is not None:
                name = self.name_for(owner, owner.__name__, use)
                return Home(self.module, f"{name}{obj.__qualname__[len(owner.__qualname__) :]}")
            known = self.name_for(obj, self.preferred_name(obj), use)
        if self.imported.binds(known):
            home = self.imported.home(obj, why)
            if home is not None:
                return home
        return Home(self.module, known)

    def add_value(self, name: str, value: Any, why: str) -> None:
        """Bind `name` in the emitted module to what `value` is now.

        Args:
            name: Name in the notebook.
            value: Any object: small values become text, functions and classes source, else a `DataObject`.
            why: What needs it, for people.

        Raises:
            NotServableError: As `refer`.
        """
        self.bind(name, value, Use(why=why), self.namespace)

    def name_of(self, obj: Any) -> str | None:
        """Name under which the emitted module has an object; None = it has it not."""
        return self._names.get(id(obj))

    @property
    def definitions(self) -> list[Definition]:
        """Statements of the emitted module, in its order, without the loading of objects."""
        return [
            Definition(
                node.name,
                "assignment" if node.kind == "alias" else node.kind,
                node.render(),
                node.place,
                str(node.use),
            )
            for node in ordered(self._nodes)
            if node.kind != "object"
        ]

    @property
    def imports(self) -> list[str]:
        """Import lines of the emitted module, sorted."""
        return self.imported.lines

    @property
    def modules(self) -> list[ProjectModule]:
        """Modules of the user's project that go along."""
        return self.imported.project.modules

    @property
    def used_modules(self) -> dict[str, set[str]]:
        """Library modules that the code needs, each with names it takes from there."""
        return self.imported.used_modules

    @property
    def objects(self) -> list[DataObject]:
        """Objects that go along as files, in the order in which they were found."""
        eager = eager_names(self._nodes)
        objects = self._kept.objects
        for name, found in list(objects.items()):
            if found.eager != (name in eager):
                objects[name] = DataObject(found.name, found.value, found.why, found.place, name in eager)
        return list(objects.values())

    def needed_by(self, name: str) -> list[DataObject]:
        """Objects that have to be loaded before the statement that binds `name` can run."""
        needed = needs(self._nodes[name], self._nodes) if name in self._nodes else set()
        return [found for found in self.objects if found.name in needed]

    def described(self, name: str) -> str:
        """A name of the emitted module and where its code is from, for people."""
        place = self._nodes[name].place
        return f"{name} ({place})" if place else name

    def source(
        self,
        loaders: Mapping[str, Loader],
        *,
        folder: str = "Path(__file__).parent / 'objects'",
        folder_imports: tuple[str, ...] = ("from pathlib import Path",),
    ) -> str:
        """Text of the emitted module.

        Args:
            loaders: How each object is read back, by its name.
            folder: Expression of the folder with the files, for objects that are needed while it is imported.
            folder_imports: Import lines of that expression.

        Returns:
            The text; "" when there is nothing to emit.

        Raises:
            NotServableError: It would not do what the kernel does.
        """
        return Module(
            ordered(self._nodes),
            self.imports,
            set(self._values),
            eager_names(self._nodes),
            self._all_future(),
        ).text(loaders, folder, folder_imports)

    def source_of(self, obj: Any) -> tuple[str, Any, Place]:
        """Executed text of a class or function: whole text of its cell, the node in it, where it is.

        Raises:
            NotServableError: The text is not known.
        """
        if isinstance(obj, type):
            found = locate_class(self.executed, obj)
        else:
            found = next(
                (
                    f
                    for layer in layers(obj)
                    if isinstance(layer, types.FunctionType)
                    and (f := self.executed.locate(layer.__code__)) is not None
                ),
                None,
            )
        if found is None:
            raise no_source(obj, getattr(obj, "__name__", "it"), Use())
        return found.text.content, found.node, found.place

    # --- binding names

    def bind(self, name: str, value: Any, use: Use, lookup: Mapping[str, Any]) -> None:
        """Make `name` of the emitted module mean `value`.

        Args:
            name: The name that captured text reads.
            value: What it is now.
            use: What reads it.
            lookup: Globals that it was found in.
        """
        if name in self._values:
            if not _same(self._values[name], value):
                raise two_meanings(name, self._nodes.get(name), value, use)
            return
        if name in self._builtins:
            raise refusal(
                f"{name!r} means two things: the built-in for {self._builtins[name]}, "
                f"and one of the notebook{use.where}",
                f"give the notebook's {name!r} another name",
            )
        known = self._names.get(id(value))
        if (
            known is not None
            and not isinstance(value, (*IMMUTABLE, types.ModuleType))
            and not self.imported.binds(known)
        ):
            self.claim(name, value)
            text = f"{name} = {known}"
            self.add(Node(name, "alias", value, use.place, use, lambda: text, {known}))
            return
        self._define(name, value, use, lookup)

    def name_for(self, value: Any, preferred: str, use: Use) -> str:
        """A name under which the emitted module has `value`; one is made up when it has none."""
        known = self._names.get(id(value))
        if known is not None and self._values[known] is value:
            if known in self._open and known not in self._nodes and not isinstance(value, type):
                self._check_open(known, use)
            return known
        name = self.free_name(preferred, value)
        self._define(name, value, use, self.namespace)
        return name

    def _check_open(self, known: str, use: Use) -> None:
        if use.owner and use.owner != known and use.owner in self._open:
            raise refusal(
                f"{known!r} and {use.owner!r} hold each other while they are made{use.where}",
                "define them at the top of a cell",
            )

    def expression(self, value: Any, preferred: str, use: Use) -> str:
        """An expression of `value`: text if it is small, else a name."""
        if id(value) not in self._names or isinstance(value, IMMUTABLE):
            try:
                return self._kept.expression(value, preferred, use)
            except NotLiteral:
                pass
        return self.name_for(value, preferred, use)

    def free_name(self, preferred: str, value: Any) -> str:
        """A name that means nothing else, neither in the emitted module nor in the notebook."""
        stem = re.sub(r"\W", "_", preferred).strip("_") or "value"
        stem = stem if stem[0].isalpha() or preferred.startswith("_") else f"value_{stem}"
        number = 1
        name = stem
        while not self._is_free(name, value):
            number += 1
            name = f"{stem.removesuffix('_1')}_{number}"
        self._given.add(name)
        return name

    def _is_free(self, name: str, value: Any) -> bool:
        if name in self._values or name in self._builtins or keyword.iskeyword(name) or name in BUILTINS:
            return False
        if name in self._given:
            return False
        if name in self.namespace:
            return self.namespace[name] is value
        return value is None or name not in _reserved(self._nodes)

    def preferred_name(self, value: Any) -> str:
        """The name that a function or class would like to have."""
        name = attribute(value, "__name__") or type(value).__name__
        return "lambda_1" if name == "<lambda>" else str(name)

    def claim(self, name: str, value: Any) -> None:
        """Give a name to an object that is about to be added, so that it may refer to itself."""
        self._values[name] = value
        self._names.setdefault(id(value), name)

    def has(self, name: str) -> bool:
        """Whether the emitted module binds a name."""
        return name in self._values

    def has_statement(self, name: str) -> bool:
        """Whether the emitted module binds a name by a statement of its own, which has been added."""
        return name in self._nodes

    def knows(self, name: str, value: Any) -> bool:
        """Whether the emitted module has this very object under this name."""
        return name in self._values and _same(self._values[name], value)

    def means(self, name: str, value: Any) -> bool:
        """Whether a name can only mean this object, in the emitted module and in the notebook."""
        return self._values.get(name, value) is value and self.namespace.get(name, value) is value

    def add(self, node: Node) -> None:
        """Add a statement."""
        self.claim(node.name, node.value)
        self._nodes[node.name] = node

    def after(self, name: str, text: str, reads: set[str], *, last: bool = False) -> None:
        """Add a statement that changes what `name` is, such as `Model.predict = predict`."""
        node = self._nodes[name]
        label = text.partition(" = ")[0] if " = " in text else text
        self._nodes[label] = Node(
            label,
            "assignment",
            None,
            node.place,
            Use(name),
            lambda: text,
            {name, *reads},
            order=node.order,
            last=last,
        )

    def builtin(self, name: str, owner: str) -> None:
        """Note that captured code means the built-in by a name."""
        if name in self._values and self._values[name] is not getattr(builtins, name, None):
            raise refusal(
                f"{name!r} means two things: the built-in for {owner}, and one of the notebook for others",
                f"give the notebook's {name!r} another name",
            )
        self._builtins.setdefault(name, owner)

    def warn(self, text: str) -> None:
        """Add a warning, once."""
        if text not in self.warnings:
            self.warnings.append(text)

    def share_cell(self, cell: Any, variable: str, owner: str, *, rebound: bool, place: Place) -> None:
        """Note that a function holds a captured variable; refuse one that two share and one rebinds."""
        known = self._cells.get(id(cell))
        if known is not None and known[1] != owner and (known[2] or rebound):
            raise refusal(
                f"{known[1]!r} and {owner!r} ({place}) share the variable {variable!r}, "
                "and one of them changes it",
                "keep the state in an attribute of a class instead",
            )
        self._cells[id(cell)] = (cell, owner, rebound or bool(known and known[2]))

    # --- sorting values

    def _define(self, name: str, value: Any, use: Use, lookup: Mapping[str, Any]) -> None:
        if isinstance(value, types.ModuleType):
            self.imported.module(name, value, use)
            return
        if self.imported.value(name, value, use, lookup):
            return
        self._open.append(name)
        try:
            self._define_here(name, value, use, lookup)
        except BaseException:
            if name in self._values and name not in self._nodes:
                self._names.pop(id(self._values.pop(name)), None)
            raise
        finally:
            self._open.remove(name)

    def _define_here(self, name: str, value: Any, use: Use, lookup: Mapping[str, Any]) -> None:
        if isinstance(value, types.FunctionType) or is_wrapper(value):
            self.claim(name, value)
            capture_function(self, value, name, use)
        elif isinstance(value, type) or is_service(value):
            self.claim(name, value)
            capture_class(self, value if isinstance(value, type) else value.inner, name, use, lookup)
            self.claim(name, value)  # the service, not the class inside it
        else:
            self._kept.add(name, value, use, lookup)
            return
        if name in self._nodes:
            self._stale.check(name, value, self._nodes[name].place)

    def renderer(self, text: str, code: types.CodeType, node: Any) -> Callable[[], str]:
        """Makes the final text of a definition, when all annotations of the module are known."""
        if not any(True for _ in annotations_of(node)):
            return lambda: text
        future = future_annotations(code)
        self._futures[text] = future
        return lambda: as_text(text) if future and not self._all_future() else text

    def _all_future(self) -> bool:
        return bool(self._futures) and all(self._futures.values())

    def _owner(self, obj: Any) -> Any:
        """The class of the notebook that a class or method is written in."""
        name = str(attribute(obj, "__qualname__") or "")
        root, _, rest = name.partition(".")
        if not rest or "<" in name:
            return None
        lookup = attribute(obj, "__globals__", self.namespace)
        found: Any = lookup.get(root)
        owner = found
        for part in rest.split("."):
            found = attribute(found, part)
        return owner if isinstance(owner, type) and found is obj and owner.__module__ == "__main__" else None


def is_service(value: Any) -> bool:
    """Whether a value is what `@bentoml.service` makes of a class."""
    return type(value).__module__.startswith("_bentoml_sdk.service") and hasattr(value, "inner")


def _same(one: Any, other: Any) -> bool:
    """Whether two values under one name are interchangeable."""
    if one is other:
        return True
    return type(one) is type(other) and isinstance(one, IMMUTABLE) and repr(one) == repr(other)


def _reserved(nodes: Mapping[str, Node]) -> set[str]:
    """Names that captured text reads or binds on its own."""
    return {name for node in nodes.values() for name in (*node.now, *node.later)}
