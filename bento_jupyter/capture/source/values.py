"""Values that are neither code nor modules: constants, declarations, objects that go along as files."""

from __future__ import annotations

import ast
import builtins
import functools
import logging
import re
import types
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bento_jupyter.capture.parts import DataObject, Place

from .assignments import declaration
from .decorators import is_wrapper
from .graph import Node, Use
from .handles import handle_of
from .imports import PLAIN, importable
from .literals import NotLiteral, literal
from .names import expression_reads
from .refusals import refusal, secret
from .secrets import looks_secret, secret_in_text
from .snippets import comments_above, cut

if TYPE_CHECKING:
    from .closure import CodeCapture

__all__ = ["Values"]

#: Objects that a container written as text may hold; with more it goes along as a file.
OBJECTS_INSIDE = 8
#: Variables of IPython that hold what was typed and answered.
HISTORY = ("In", "Out", "_", "__", "___", "_i", "_ii", "_iii", "_ih", "_oh", "_dh")

#: Where the environment is read.
ENVIRONMENT = ("os.environ", "os.getenv", "environ", "getenv", "getpass.getpass", "getpass")


class Values:
    """Sorts values into constants and objects.

    Args:
        capture: The closure they belong to.
    """

    def __init__(self, capture: CodeCapture) -> None:
        self._capture = capture
        self._parts: dict[int, tuple[Any, str]] = {}
        self._constants: dict[str, Node] = {}
        #: Objects that go along as files, by name.
        self.objects: dict[str, DataObject] = {}

    def add(self, name: str, value: Any, use: Use, lookup: Mapping[str, Any]) -> None:
        """Bind a name to a value.

        Raises:
            NotServableError: It lives in this process only, or looks like a secret.
        """
        if name in HISTORY or re.fullmatch(r"_i?\d+", name):
            raise refusal(
                f"{name!r} is the notebook's own history{use.where}: it cannot go along",
                f"give the value a name of its own, and use that in {use.owner or 'the function'}",
            )
        handle = handle_of(value)
        if handle is not None:
            what, hint = handle
            kind = f"{type(value).__module__}.{type(value).__qualname__}"
            raise refusal(
                f"{name!r} is {what} ({kind}){use.where}: it cannot go along",
                hint.format(owner=use.owner or "the function"),
            )
        refuse_secret(name, value, use)
        self._refuse_environment(name, value, use, lookup)
        capture = self._capture
        place = self._assigned_at(name, value, lookup)
        order = (_number(place), place.line if place else 0)
        if isinstance(value, logging.Logger):
            tool = capture.imported.name_of_module("logging")
            given = "" if value is logging.root else repr(value.name)
            text = f"{name} = {tool}.getLogger({given})"
            capture.add(Node(name, "assignment", value, place, use, lambda: text, {tool}, order=order))
            return
        if declaration(capture, name, value, use, lookup):
            return
        try:
            node = Node(name, "constant", value, place, use, str, order=order)
            self._write(node)
        except NotLiteral:
            capture.add(Node(name, "object", value, place or use.place, use, lambda: "", order=order))
            self.objects[name] = DataObject(name, value, str(use), place or use.place)
            return
        capture.add(node)
        self._constants[name] = node
        part = self._parts.get(id(value))
        if part is not None and part[1] in self._constants:
            # A container that another constant holds has got a name: the other one goes by it from now on.
            self._write(self._constants[part[1]])

    def _write(self, node: Node) -> None:
        """Write a constant's text: what the value is at this moment, whatever becomes of it later."""
        text = self._text(node.value, node.name, Use(node.name, node.use.place))
        node.now = expression_reads(ast.parse(text, mode="eval").body)
        written = self._as_written(node.name, node.value) if not node.now & set(self._constants) else None
        whole = written or f"{node.name} = {text}"
        node.render = lambda: whole

    def expression(self, value: Any, preferred: str, use: Use) -> str:
        """A value as text. Raises `NotLiteral` if it has none."""
        refuse_secret(preferred, value, use)
        return self._text(value, preferred, use)

    def _text(self, value: Any, name: str, use: Use) -> str:
        """A value as text; a few objects in it go along on their own, and stand in it by name."""
        self._probe(value)
        inside = functools.partial(self.inside, use=use)
        return literal(value, inside, functools.partial(self._part_of, owner=value, name=name, use=use))

    def _probe(self, value: Any) -> None:
        """Find out whether a value has a text before anything is captured for it."""
        objects: set[int] = set()

        def name_of(part: Any) -> str:
            if isinstance(part, (list, dict, set, bytearray)):
                raise NotLiteral("a container")
            made = isinstance(part, (types.FunctionType, types.ModuleType, type)) or is_wrapper(part)
            if not made and importable(part) is None and self._capture.name_of(part) is None:
                raise NotLiteral("an object")
            return "name"

        def object_of(part: Any) -> str:
            objects.add(id(part))
            return "name"

        literal(value, name_of, object_of)
        if len(objects) > OBJECTS_INSIDE:
            raise NotLiteral("many objects")

    def _part_of(self, part: Any, owner: Any, name: str, use: Use) -> str:
        keys = [key for key, value in owner.items() if value is part] if isinstance(owner, dict) else []
        word = str(keys[0]) if keys and isinstance(keys[0], str) else "part"
        return self._capture.name_for(part, f"{name}_{word}", use)

    def inside(self, value: Any, use: Use) -> str:
        """Name of a part of a literal: a function, class, module, or a container that is known by a name."""
        capture = self._capture
        known = capture.name_of(value)
        if isinstance(value, (list, dict, set, bytearray)):
            if known is not None and known != use.owner and capture.has_statement(known):
                return known
            if use.owner:
                self._note_part(value, use.owner)
            raise NotLiteral("not known by a name")
        if isinstance(value, types.ModuleType):
            return capture.imported.name_of_module(value.__name__)
        if known is not None:
            return known
        made = isinstance(value, (types.FunctionType, type)) or is_wrapper(value)
        if not made and importable(value) is None:
            raise NotLiteral("an object")
        if isinstance(value, type) and value.__module__ == "builtins" and hasattr(builtins, value.__name__):
            capture.builtin(value.__name__, use.owner)
            return value.__name__
        return capture.name_for(value, capture.preferred_name(value), use)

    def _note_part(self, value: Any, owner: str) -> None:
        known = self._parts.get(id(value))
        if known is not None and known[1] != owner:
            kind = type(value).__name__
            raise refusal(
                f"{known[1]!r} and {owner!r} hold the same {kind}: a change in one is a change in both",
                f"give it a name of its own that both use, or copy it: copy.deepcopy({owner})",
            )
        self._parts[id(value)] = (value, owner)

    def _as_written(self, name: str, value: Any) -> str | None:
        """The statement of a constant with its comments, if it still is what that says; None = it is not."""
        text, node = next(self._capture.executed.assignments(name), (None, None))
        if text is None or not isinstance(node, ast.Assign) or self._capture.namespace.get(name) is not value:
            return None
        if len(node.targets) != 1 or not isinstance(node.targets[0], ast.Name):
            return None
        try:
            written = ast.literal_eval(node.value)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return None
        line = text.lines[(node.end_lineno or node.lineno) - 1].encode()
        behind = line[node.end_col_offset or 0 :].decode().strip()
        whole = "\n".join([*comments_above(text, node), cut(text, node)])
        if behind[:1] not in ("", "#") or not _exactly(written, value) or secret_in_text(whole):
            return None
        return whole

    def _refuse_environment(self, name: str, value: Any, use: Use, lookup: Mapping[str, Any]) -> None:
        if lookup.get(name) is not value or not isinstance(value, PLAIN):
            return
        text, node = next(self._capture.executed.assignments(name), (None, None))
        if text is None or node is None or node.value is None:
            return
        for part in ast.walk(node.value):
            if isinstance(part, (ast.Attribute, ast.Name)) and ast.unparse(part) in ENVIRONMENT:
                raise refusal(
                    f"{name!r} was read from the environment ({text.place(node)}){use.where}: "
                    "it is not written into a Bento",
                    f'read os.environ["{name.upper()}"] inside the function, and deploy with '
                    f"--env {name.upper()}=... or --secret",
                )

    def _assigned_at(self, name: str, value: Any, lookup: Mapping[str, Any]) -> Place | None:
        if lookup.get(name) is not value:
            return None
        text, node = next(self._capture.executed.assignments(name), (None, None))
        return text.place(node) if text is not None else None


def refuse_secret(name: str, value: Any, use: Use) -> None:
    """Refuse a value with a secret in it."""
    for word, part in _texts(name, value):
        reason = looks_secret(word, part)
        if reason:
            what = repr(name) if word == name or not word else f"{word!r} in {name!r}"
            raise secret(f"{what}{use.where}", reason, word or name)


def _number(place: Place | None) -> int:
    found = re.fullmatch(r"cell \[(\d+)\]", place.source) if place is not None else None
    return int(found.group(1)) if found else 0


def _exactly(one: Any, other: Any) -> bool:
    """Whether two literals are the same, with types and order."""

    def text(value: Any) -> str:
        return literal(value, lambda _: "")

    try:
        return text(one) == text(other)
    except NotLiteral:
        return False


def _texts(name: str, value: Any, depth: int = 0) -> list[tuple[str, str | bytes]]:
    """Texts in a small value, each with the name or key it goes by."""
    if isinstance(value, (str, bytes)):
        return [(name, value)]
    if depth > 4 or not isinstance(value, (dict, list, tuple, set, frozenset)) or len(value) > 1000:
        return [(name, value)] if hasattr(type(value), "get_secret_value") else []
    if isinstance(value, dict):
        found = []
        for key, part in value.items():
            found += _texts(key if isinstance(key, str) else name, part, depth + 1)
            if isinstance(key, str) and len(key) >= 32:
                found.append(("", key))
        return found
    return [text for part in value for text in _texts(name, part, depth + 1)]
