"""Resolving what a captured text reads: each free name as it is in the kernel now."""

from __future__ import annotations

import ast
import builtins
import os
import sys
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bento_jupyter.capture.parts import Place

from .code_objects import future_annotations, reads, writes
from .executed import Found
from .graph import Use
from .modules import imported_names, is_library
from .names import (
    BUILTINS,
    MODULE_NAMES,
    annotations_of,
    chains,
    dynamic_reads,
    expression_reads,
    first_use,
    queried_names,
    static_value,
    text_annotations,
)
from .refusals import refusal, secret
from .secrets import looks_secret, secret_in_text
from .snippets import Edit, remarks

if TYPE_CHECKING:
    from .closure import CodeCapture

__all__ = ["Subject", "annotation_edits", "inspect_text", "resolve"]

MISSING = object()
READS_ENVIRONMENT = ("os.environ.get", "os.getenv", "environ.get", "getenv", "os.environ.pop")


@dataclass(frozen=True)
class Subject:
    """A function or class that is being captured.

    Attributes:
        name: Name in the emitted module, for people.
        found: Its executed text.
        lookup: Its globals.
        own: Names that are no globals although the text alone looks like it: captured variables.
    """

    name: str
    found: Found
    lookup: Mapping[str, Any]
    own: frozenset[str] = frozenset()

    def use(self, name: str) -> Use:
        """Its first use of a name."""
        return Use(self.name, Place(self.found.text.label, first_use(self.found.node, name)))


def resolve(
    capture: CodeCapture, subject: Subject, codes: Iterable[types.CodeType], at_once: Iterable[ast.expr] = ()
) -> None:
    """Bind every global name that a function or class reads.

    Args:
        capture: Where they are bound.
        subject: The function or class.
        codes: Its code.
        at_once: Expressions that are evaluated when it is defined: defaults, decorators.
    """
    name, found, lookup, own = subject.name, subject.found, subject.lookup, subject.own
    node = found.node
    called: set[str] = set()
    for code in codes:
        now, later = reads(code)
        called |= now | later
        for written in sorted(writes(code)):
            capture.warn(
                f"{name} ({found.place}) changes the global {written!r}: each process that serves has its own"
            )
    defining = {n for expression in at_once for n in expression_reads(expression)} - own
    notes: set[str] = set()
    for annotation in annotations_of(node):
        notes |= expression_reads(annotation)
    optional = (notes | text_annotations(node)) - own
    told, unknown = dynamic_reads(node, lookup)
    told |= {free for free in queried_names(node) if free in lookup and free not in own}
    if unknown:
        function, line = unknown[0]
        raise refusal(
            f"{name} ({Place(found.text.label, line)}) calls {function}(), "
            "which may read any name of the notebook",
            "write the names out",
        )
    called -= own
    for free in sorted(called | defining | told):
        _resolve_name(capture, subject, free)
    for free in sorted(optional - called - defining):
        if free in lookup:
            capture.bind(free, lookup[free], subject.use(free), lookup)
        elif free in BUILTINS:
            capture.builtin(free, name)
    _submodules(capture, node, lookup, called | defining | notes)
    _inner_imports(capture, subject)
    _environment(capture, subject)


def _resolve_name(capture: CodeCapture, subject: Subject, free: str) -> None:
    name, node, lookup = subject.name, subject.found.node, subject.lookup
    use = subject.use(free)
    place = use.place
    if free in MODULE_NAMES:
        named = any(isinstance(part, ast.Name) and part.id == free for part in ast.walk(node))
        if free in ("__name__", "__file__") and free in lookup and named:
            capture.warn(f"{name} ({place}) reads {free}, which is another one where it is served")
        return
    if free in ("get_ipython", "display") and (free == "get_ipython" or free not in lookup):
        typed = "get_ipython" in (subject.found.text.raw or subject.found.text.content)
        what = f"{free}()" if free == "display" or typed else "a magic or shell line"
        raise refusal(
            f"{name} ({place}) uses {what}, which only a notebook has",
            f"take it out of {name}; use Python instead",
        )
    if free in lookup:
        capture.bind(free, lookup[free], use, lookup)
    elif free in BUILTINS or hasattr(builtins, free):
        capture.builtin(free, name)
    elif not _is_tried(node, free):
        raise refusal(
            f"{name} ({place}) reads {free!r}, which the notebook does not define (any more)",
            f"define {free}, or take it out of {name}; then run the cell again",
        )


def _is_tried(node: ast.AST, name: str) -> bool:
    """Whether every use of a name is inside a `try` that takes its absence into account."""
    tried: set[ast.AST] = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Try) and any(
            handler.type is None
            or {"NameError", "Exception"} & set(ast.unparse(handler.type).strip("()").split(", "))
            for handler in part.handlers
        ):
            tried.update(inner for statement in part.body for inner in ast.walk(statement))
    uses = [part for part in ast.walk(node) if isinstance(part, ast.Name) and part.id == name]
    return bool(uses) and all(use in tried for use in uses)


def _environment(capture: CodeCapture, subject: Subject) -> None:
    """Tell which environment variables the code reads: the deployment has to set them."""
    for part in ast.walk(subject.found.node):
        key: ast.expr | None = None
        if not isinstance(part, (ast.Subscript, ast.Call)):
            continue
        if isinstance(part, ast.Subscript):
            key = part.slice if ast.unparse(part.value) in ("os.environ", "environ") else None
        elif part.args and ast.unparse(part.func) in READS_ENVIRONMENT:
            key = part.args[0]
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            place = Place(subject.found.text.label, part.lineno)
            state = "set here" if key.value in os.environ else "not set here"
            capture.warn(
                f"{subject.name} ({place}) reads the environment variable {key.value}, which is {state}: "
                f"deploy with --env {key.value}=..."
            )


def _submodules(capture: CodeCapture, node: ast.AST, lookup: Mapping[str, Any], names: set[str]) -> None:
    """`import scipy` and then `scipy.stats.norm` needs `import scipy.stats`, too."""
    for root, *path in sorted(chains(node)):
        module = lookup.get(root) if root in names else None
        for attribute in path:
            if not isinstance(module, types.ModuleType):
                break
            child = vars(module).get(attribute)
            if child is None and isinstance(
                sys.modules.get(f"{module.__name__}.{attribute}"), types.ModuleType
            ):
                child = sys.modules[f"{module.__name__}.{attribute}"]
            if isinstance(child, types.ModuleType) and child.__name__ == f"{module.__name__}.{attribute}":
                capture.imported.submodule(module, child.__name__)
            else:
                capture.imported.used(module.__name__, attribute)
            module = child


def _inner_imports(capture: CodeCapture, subject: Subject) -> None:
    name, found, node = subject.name, subject.found, subject.found.node
    for module, attribute in imported_names(node, ""):
        root = module.partition(".")[0]
        if root == "__main__":
            raise refusal(
                f"{name} ({found.place}) imports from __main__, which is another module where it is served",
                "use the names without the import",
            )
        if root not in sys.modules:
            from importlib.util import find_spec

            try:
                known = find_spec(root) is not None
            except (ImportError, ValueError):
                known = False
            if not known:
                continue  # an alternative that is not there: `try: import cupy`
        if is_library(module):
            capture.imported.used(module, attribute)
        else:
            capture.imported.project.add(module, f"{name} imports it")
            if attribute and f"{module}.{attribute}" in sys.modules:
                capture.imported.project.add(f"{module}.{attribute}", f"{name} imports it")


def annotation_edits(capture: CodeCapture, subject: Subject, function: types.FunctionType) -> list[Edit]:
    """Annotations that are written differently: as text if their names are gone, by a new name if changed."""
    node, lookup, own = subject.found.node, subject.lookup, subject.own
    use = Use(subject.name, subject.found.place)
    edits: list[Edit] = []
    if isinstance(node, ast.Lambda) or future_annotations(function.__code__):
        return edits
    for annotation in annotations_of(node):
        names = expression_reads(annotation) - own
        if any(name not in lookup and not hasattr(builtins, name) for name in names):
            edits.append(Edit(annotation, repr(ast.unparse(annotation))))
    try:
        live = dict(function.__annotations__)
    except NameError:
        return edits
    arguments = [
        *node.args.posonlyargs,
        *node.args.args,
        *node.args.kwonlyargs,
        node.args.vararg,
        node.args.kwarg,
    ]
    written = {a.arg: a.annotation for a in arguments if a is not None and a.annotation is not None}
    if node.returns is not None:
        written["return"] = node.returns
    for name, annotation in written.items():
        value = live.get(name, MISSING)
        now = static_value(annotation, lookup, MISSING)
        if isinstance(value, type) and now is not MISSING and now is not value:
            edits.append(Edit(annotation, capture.name_for(value, value.__name__, use)))
    return edits


def inspect_text(found: Found, name: str) -> None:
    """Refuse a text with a secret in it: in a literal, a docstring or a comment."""
    node = found.node
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, (str, bytes)):
            text = part.value if isinstance(part.value, str) else part.value.decode("latin-1")
            _refuse(secret_in_text(text), "a text", found, part.lineno, name)
        elif isinstance(part, (ast.Assign, ast.AnnAssign)) and part.value is not None:
            for target in part.targets if isinstance(part, ast.Assign) else [part.target]:
                word = target.id if isinstance(target, ast.Name) else getattr(target, "attr", "")
                _named(word, part.value, found, name)
        elif isinstance(part, ast.keyword) and part.arg:
            _named(part.arg, part.value, found, name)
        elif isinstance(part, ast.Dict):
            for key, value in zip(part.keys, part.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    _named(key.value, value, found, name)
        elif isinstance(part, ast.arguments):
            every = [*part.posonlyargs, *part.args]
            pairs = [*zip(every[len(every) - len(part.defaults) :], part.defaults, strict=True)]
            pairs += [(a, d) for a, d in zip(part.kwonlyargs, part.kw_defaults, strict=True) if d is not None]
            for argument, default in pairs:
                _named(argument.arg, default, found, name)
    if isinstance(node, ast.stmt):
        for line in remarks(found.text, node).splitlines():
            comment = line.partition("#")[2]
            _refuse(secret_in_text(comment), "a comment", found, node.lineno, name)
            word, _, given = comment.partition("=")
            if given and word.strip().isidentifier():
                reason = looks_secret(word.strip(), given.strip().strip("'\""))
                _refuse(reason, "a comment", found, node.lineno, name)


def _named(word: str, value: ast.expr, found: Found, name: str) -> None:
    if isinstance(value, ast.Constant) and isinstance(value.value, (str, bytes)):
        _refuse(looks_secret(word, value.value), repr(word), found, value.lineno, name)


def _refuse(reason: str, what: str, found: Found, line: int, name: str) -> None:
    if reason:
        raise secret(f"{what} in {name} ({Place(found.text.label, line)})", reason, name)
