"""`@bentoml.service` classes of the notebook: what they can be asked, and their source, exact on the wire."""

from __future__ import annotations

import ast
import functools
import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bento_jupyter.errors import NotServableError, SampleError

from .source import CodeCapture
from .subjects import Question, Subject, hints_of

if TYPE_CHECKING:
    from .plan import EndpointPlan

__all__ = ["exact_annotations", "service_subject"]


def service_subject(
    objects: Mapping[str, Any], code: CodeCapture, *, sample: Any, endpoints: Sequence[str] | None
) -> Subject:
    """What a service of the notebook can be asked.

    An instance is made in the notebook, as BentoML does when it starts, with its startup hooks.

    Args:
        objects: The service, and what else is to go along.
        code: Where its code is captured.
        sample: A dict by endpoint; for a service with one endpoint, its sample.
        endpoints: Those to prove; None = those that the sample is for.

    Raises:
        NotServableError: It has no endpoints, or needs what cannot go along.
        SampleError: There is a sample for no endpoint.
    """
    (name, service), *others = objects.items()
    if not service.apis:
        raise NotServableError(
            f"the service {name} has no endpoint", hint="decorate a method with @bentoml.api"
        )
    for other, obj in others:
        code.add_value(other, obj, "it was named")
    code.add_value(name, service, "it is served")
    known = list(service.apis)
    by_endpoint = isinstance(sample, dict) and bool(sample) and set(sample) <= set(known)
    if endpoints is not None:
        chosen = [endpoints] if isinstance(endpoints, str) else list(endpoints)
    elif by_endpoint:
        chosen = list(sample)
    elif len(known) == 1:
        chosen = known
    else:
        raise SampleError(
            f"the service {name} has several endpoints: {', '.join(known)}",
            hint=f"give a sample for each: --sample '{{{known[0]!r}: ..., {known[1]!r}: ...}}'",
        )
    unknown = [point for point in chosen if point not in known]
    if unknown:
        raise NotServableError(
            f"the service {name} has no endpoint {unknown[0]!r}", hint=f"it has {', '.join(known)}"
        )
    live = started(service)
    questions = [question_of_api(service.apis[point], live) for point in chosen]
    inner = service.inner
    unproven = {
        point: "no sample was given: it is served, but not proven" for point in known if point not in chosen
    }
    return Subject(
        "service",
        inner.__name__,
        f"{inner.__module__}.{inner.__qualname__}",
        questions,
        left_out=unproven,
        known=tuple(known),
        by_endpoint=by_endpoint,
        has_image=service.image is not None,
    )


def started(service: Any) -> Any:
    """An instance of a service, with its startup hooks run as BentoML runs them."""
    from .interface.answers import answer

    live = service()
    for name in dir(service.inner):
        member = inspect.getattr_static(service.inner, name)
        if getattr(member, "__bentoml_startup_hook__", False):
            answer(getattr(live, name), {})
    return live


def question_of_api(api: Any, live: Any) -> Question:
    parameters = [
        parameter
        for parameter in list(inspect.signature(api.func).parameters.values())[1:]
        if parameter.name != api.ctx_param
        and parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
    ]
    call = functools.partial(api.func, live)

    def asked(**inputs: Any) -> Any:
        first = [inputs.pop(p.name) for p in parameters if p.kind is p.POSITIONAL_ONLY and p.name in inputs]
        return call(*first, **inputs)

    kind = "stream" if api.is_stream else "plain"
    if inspect.iscoroutinefunction(api.func) or inspect.isasyncgenfunction(api.func):
        kind = f"async {kind}".removesuffix(" plain")
    if api.is_task:
        kind = "task"
    return Question(
        api.name, tuple(parameters), hints_of(api.func), asked, "", kind, globals=api.func.__globals__
    )


def exact_annotations(source: str, class_name: str, points: Iterable[EndpointPlan]) -> str:
    """The source of a service, with annotations that carry dtypes where its own do not.

    Only arrays, frames and what has no annotation get another one; comments and everything else stay.

    Args:
        source: The module.
        class_name: The service's class in it.
        points: Its endpoints that a sample was given for.
    """
    methods = methods_of(ast.parse(source), class_name)
    edits: list[tuple[tuple[int, int], tuple[int, int], str]] = []
    for point in points:
        method = methods.get(point.name)
        if method is None:
            continue
        wanted = {parameter.name: parameter for parameter in point.parameters}
        for argument in (*method.args.posonlyargs, *method.args.args, *method.args.kwonlyargs):
            parameter = wanted.get(argument.arg)
            if parameter is None or not parameter.annotation:
                continue
            if argument.annotation is None:
                place = (argument.lineno, argument.col_offset + len(argument.arg.encode()))
                edits.append((place, place, f": {parameter.annotation}"))
            else:
                edits.append((*span(argument.annotation), parameter.annotation))
        if point.output_annotation and method.returns is not None:
            edits.append((*span(method.returns), point.output_annotation))
        elif point.output_annotation and method.returns is None:
            place = closing_parenthesis(source, method)
            edits.append((place, place, f" -> {point.output_annotation}"))
    lines = source.encode().split(b"\n")
    for (row, column), (last_row, last_column), text in sorted(edits, reverse=True):
        head, tail = lines[row - 1][:column], lines[last_row - 1][last_column:]
        lines[row - 1 : last_row] = [head + text.encode() + tail]
    return b"\n".join(lines).decode()


def methods_of(tree: ast.Module, class_name: str) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == class_name:
            return {
                item.name: item
                for item in node.body
                if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef))
            }
    return {}


def span(node: ast.expr) -> tuple[tuple[int, int], tuple[int, int]]:
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return (node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)


def closing_parenthesis(source: str, method: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[int, int]:
    """The place behind the parenthesis that ends a method's parameters."""
    import io
    import tokenize

    depth, started_at = 0, (method.lineno, method.col_offset)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.start < started_at or token.type != tokenize.OP:
            continue
        depth += token.string in "([{"
        depth -= token.string in ")]}"
        if depth == 0 and token.string == ")":
            row, column = token.end
            line = source.split("\n")[row - 1]
            return row, len(line[:column].encode())
    raise AssertionError("a method has parameters")  # it was parsed
