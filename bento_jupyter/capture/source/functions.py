"""Functions: their executed text, with live defaults, closures and decorators."""

from __future__ import annotations

import ast
import functools
import re
import types
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from bento_jupyter.capture.parts import Place

from .attributes import attribute
from .code_objects import rebinds
from .decorators import Written, as_written, cells_of, made_in_notebook, says
from .executed import Found
from .graph import Node, Use
from .names import call_reads, expression_reads, statement_reads
from .refusals import no_source, refusal
from .scope import Subject, annotation_edits, inspect_text, resolve
from .snippets import Edit, comments_above, cut, reindent_all, segment

if TYPE_CHECKING:
    from .closure import CodeCapture

__all__ = ["capture_function", "default_edits", "statement_reads_of"]

MISSING = object()


def default_edits(
    capture: CodeCapture, function: types.FunctionType, node: Any, name: str, use: Use, *, nested: bool
) -> tuple[list[Edit], list[str]]:
    """Defaults that are written differently: those that no longer are what their text says.

    Returns:
        Edits, and statements that set defaults which the text has no room for; `{0}` is the function there.
    """
    lookup: Mapping[str, Any] = {} if nested else function.__globals__
    edits: list[Edit] = []
    positional = [*node.args.posonlyargs, *node.args.args]
    live = function.__defaults__ or ()
    pairs: list[tuple[str, ast.expr, Any]] = []
    extra: list[str] = []
    if len(live) == len(node.args.defaults):
        arguments = positional[len(positional) - len(live) :]
        pairs += [(a.arg, d, v) for a, d, v in zip(arguments, node.args.defaults, live, strict=True)]
    else:
        values = [capture.expression(v, f"{name}_default", use) for v in live]
        extra.append("{0}.__defaults__ = " + (f"({', '.join(values)},)" if values else "None"))
    keyword = dict(function.__kwdefaults__ or {})
    for argument, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
        if default is not None and argument.arg in keyword:
            pairs.append((argument.arg, default, keyword.pop(argument.arg)))
        elif default is not None:
            keyword = dict(function.__kwdefaults__ or {})
            break
    if keyword:
        values = [
            f"{k!r}: {capture.expression(v, f'{name}_{k}', use)}"
            for k, v in (function.__kwdefaults__ or {}).items()
        ]
        extra.append(
            "{0}.__kwdefaults__ = {{" + ", ".join(values).replace("{", "{{").replace("}", "}}") + "}}"
        )
    for argument_name, default, value in pairs:
        if not says(default, value, lookup):
            edits.append(Edit(default, capture.expression(value, f"{name}_{argument_name}", use)))
    return edits, extra


def capture_function(capture: CodeCapture, value: Any, name: str, use: Use) -> None:
    """Add a function, or what decorators made of one, to the emitted module under `name`.

    Raises:
        NotServableError: Its text is not known, or it needs what cannot go along.
    """
    written = as_written(capture.executed, value)
    if written is None:
        if isinstance(value, functools._lru_cache_wrapper):
            _capture_lru_cache(capture, value, name, use)
            return
        if not isinstance(value, types.FunctionType):
            raise refusal(
                f"{_described(value, name)} cannot be told how its decorators made it{use.where}",
                "run the cell that defines it again, then build",
            )
        found = capture.executed.locate(value.__code__)
        if found is None:
            raise no_source(value, name, use)
        written = Written(value, found, list(getattr(found.node, "decorator_list", ())))
        _keep_wraps(written)
    _emit(capture, value, written, name, use)
    if attribute(value, "registry") and attribute(value, "dispatch"):
        _register(capture, value, name)


def place_of(capture: CodeCapture, value: Any) -> Place | None:
    """Where a function was executed."""
    code = attribute(value, "__code__")
    found = capture.executed.locate(code) if code is not None else None
    return found.place if found is not None else None


def _keep_wraps(written: Written) -> None:
    """`functools.wraps(f)` inside a decorator stays: its argument is what the live wrapper says it wraps."""
    written.drop[:] = [
        d
        for d in written.drop
        if not (isinstance(d, ast.Call) and ast.unparse(d.func).rpartition(".")[2] == "wraps")
    ]


def _capture_lru_cache(capture: CodeCapture, value: Any, name: str, use: Use) -> None:
    inner = value.__wrapped__
    plain = capture.name_for(inner, f"{name}_uncached", use)
    known = value.cache_parameters()
    tool = capture.imported.name_of_module("functools")
    text = f"{name} = {tool}.lru_cache(maxsize={known['maxsize']!r}, typed={known['typed']!r})({plain})"
    capture.add(Node(name, "assignment", value, place_of(capture, inner), use, lambda: text, {plain, tool}))


def _register(capture: CodeCapture, value: Any, name: str) -> None:
    """The implementations of a `functools.singledispatch` function."""
    for kind, implementation in list(value.registry.items()):
        if kind is object:
            continue
        use = Use(name, place_of(capture, implementation), f"{name} calls it for {kind.__name__}")
        inner = capture.name_for(implementation, f"{name}_{kind.__name__}", use)
        type_name = capture.expression(kind, kind.__name__, use)
        text = f"{name}.register({type_name}, {inner})"
        capture.after(name, text, {inner, *expression_reads(ast.parse(type_name, mode="eval").body)})


def _described(value: Any, name: str) -> str:
    return f"{name!r} (a {type(value).__name__})"


def _emit(capture: CodeCapture, value: Any, written: Written, name: str, use: Use) -> None:
    function, found, node = written.function, written.found, written.found.node
    code = function.__code__
    place = found.place
    lookup = function.__globals__
    inside = Use(name, place)
    edits, extra = default_edits(capture, function, node, name, inside, nested=found.nested)
    replaced = {edit.node for edit in edits}
    kept = [d for d in getattr(node, "decorator_list", ()) if d not in written.drop]
    kept += [d for d in [*node.args.defaults, *node.args.kw_defaults] if d is not None and d not in replaced]
    parameters = _closure(capture, value, function, found, name, inside, kept)
    subject = Subject(name, found, lookup, frozenset(parameters))
    edits += annotation_edits(capture, subject, function)
    inspect_text(found, name)
    resolve(capture, subject, [code], kept)

    if isinstance(node, ast.Lambda):
        body, own_name = segment(found.text, node, edits), ""
        if "\n" in body:
            body = f"({body})"
        own = [n for n, content in cells_of(function) if content is value]
        own_name = own[0] if own else name
        body = f"{own_name} = {body}"
    else:
        body, own_name = cut(found.text, node, edits, drop=written.drop), node.name
        own = [n for n, content in cells_of(function) if content is value and n != own_name]
        body += "".join(f"\n\n\n{n} = {own_name}" for n in own)
    comments = _comments(found, node, name)
    taken = own_name != name and lookup.get(own_name, value) is not value
    if own_name != name and not isinstance(node, ast.Lambda) and (not parameters or taken):
        # Under its own name it would take the place of what goes by that name now.
        body = _renamed(body, name) + (
            f"\n\n\n{name}.__name__ = {name}.__qualname__ = {own_name!r}" if value is function else ""
        )
        own_name = name
    if parameters or own_name != name:
        maker = capture.free_name(f"make_{name}", None)
        given = ", ".join(f"{k}={v}" for k, v in parameters.items())
        text = (
            f"def {maker}({', '.join(parameters)}):\n{reindent_all(body)}\n\n    return {own_name}\n\n\n"
            f"{name} = {maker}({given})"
        )
    else:
        text = body
    for line in extra:
        text += "\n" + line.format(name)
    if function.__name__ != code.co_name and value is function and not hasattr(function, "__wrapped__"):
        text += f"\n{name}.__name__ = {function.__name__!r}"
    if value is function and not isinstance(node, ast.Lambda) and not hasattr(function, "__wrapped__"):
        written_doc = ast.get_docstring(node, clean=False)
        if (function.__doc__ or "").split() != (written_doc or "").split():
            text += f"\n{name}.__doc__ = {function.__doc__!r}"
    if isinstance(value, types.FunctionType) and made_in_notebook(value):
        text += _attributes(capture, value, function, name, inside)
    kind = "assignment" if isinstance(node, ast.Lambda) else "function"
    now, later = statement_reads_of(text)
    capture.add(
        Node(
            name,
            kind,
            value,
            place,
            use,
            capture.renderer("\n".join([*comments, text]), code, node),
            now,
            later,
            (found.text.number, node.lineno),
            [code],
        )
    )


def _renamed(text: str, name: str) -> str:
    """A `def` statement under another name."""
    return re.sub(
        r"^((?:async\s+)?def\s+)\w+",
        lambda match: f"{match.group(1)}{name}",
        text,
        count=1,
        flags=re.MULTILINE,
    )


def statement_reads_of(text: str) -> tuple[set[str], set[str]]:
    """Global names that a text reads at once, and when what it defines is called."""
    now: set[str] = set()
    later: set[str] = set()
    makers: dict[str, ast.FunctionDef] = {}
    for statement in ast.parse(text).body:
        at_once, when_called = statement_reads(statement)
        now |= at_once
        later |= when_called
        if isinstance(statement, ast.FunctionDef):
            makers[statement.name] = statement
        elif isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call):
            called = ast.unparse(statement.value.func)
            if called in makers:
                now |= call_reads(makers[called])
    return now, later


def _comments(found: Found, node: Any, name: str) -> list[str]:
    """Comments above the statement that defines it."""
    statement: Any = node
    if isinstance(node, ast.Lambda):
        statement = found.parents[-1] if found.parents else None
        if not (
            isinstance(statement, ast.Assign)
            and statement.value is node
            and [t.id for t in statement.targets if isinstance(t, ast.Name)] == [name]
        ):
            return []
    return comments_above(found.text, statement)


def _closure(  # noqa: PLR0917 - private, and all of them differ in type
    capture: CodeCapture,
    value: Any,
    function: types.FunctionType,
    found: Found,
    name: str,
    use: Use,
    kept: Iterable[ast.expr],
) -> dict[str, str]:
    """Captured variables, each with the expression of its value."""
    code = function.__code__
    own = getattr(found.node, "name", "")
    parameters: dict[str, str] = {}
    type_parameters = {".type_params", ".defaults", ".kwdefaults"} | {
        p.name for p in getattr(found.node, "type_params", ())
    }
    rebound = rebinds(code)
    for variable, cell in zip(code.co_freevars, function.__closure__ or (), strict=False):
        if variable in type_parameters:
            continue
        if variable == "__class__":
            raise refusal(
                f"{name!r} ({found.place}) calls super() outside of the class statement it was written in",
                "write the method into the class statement",
            )
        capture.share_cell(cell, variable, name, rebound=variable in rebound, place=found.place)
        try:
            content = cell.cell_contents
        except ValueError:
            raise refusal(
                f"variable {variable!r} of {name!r} ({found.place}) has no value",
                "give it one before you build",
            ) from None
        if content is value or (content is function and variable == own):
            continue
        parameters[variable] = capture.expression(
            content, variable, Use(name, found.place, f"{name} holds it as {variable}")
        )
    if found.nested:
        wrapped = getattr(function, "__wrapped__", MISSING)
        for expression in kept:
            for variable in sorted(expression_reads(expression)):
                if variable in parameters or not _local_around(found, variable):
                    continue
                is_wraps = isinstance(expression, ast.Call) and ast.unparse(expression.func).endswith("wraps")
                if wrapped is MISSING or not is_wraps:
                    raise refusal(
                        f"{name!r} ({found.place}) needs {variable!r} of the function around it, "
                        "which is gone",
                        f"define {name} at the top of a cell",
                    )
                parameters[variable] = capture.expression(wrapped, variable, use)
    return parameters


def _local_around(found: Found, name: str) -> bool:
    """Whether a name is a variable of a function around the node."""
    for parent in found.parents:
        if isinstance(parent, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            arguments = [a.arg for a in ast.walk(parent.args) if isinstance(a, ast.arg)]
            stored = [
                n.id for n in ast.walk(parent) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
            ]
            inner = [
                n.name
                for n in ast.walk(parent)
                if isinstance(n, (ast.FunctionDef, ast.ClassDef)) and n is not parent
            ]
            if name in arguments or name in stored or name in inner:
                return True
    return False


def _attributes(
    capture: CodeCapture, value: types.FunctionType, function: types.FunctionType, name: str, use: Use
) -> str:
    """Assignments for what the notebook (or a decorator) hung on the function."""
    text = ""
    for key, content in list(vars(value).items()):
        if key.startswith("__") or (value is not function and vars(function).get(key, MISSING) is content):
            continue
        text += f"\n{name}.{key} = {capture.expression(content, f'{name}_{key}', use)}"
    return text
