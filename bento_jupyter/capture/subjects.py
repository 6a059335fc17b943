"""What is to be served: sorts the objects named, and finds the questions that each can be asked."""

from __future__ import annotations

import functools
import inspect
import keyword
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bento_jupyter.errors import NotServableError

from .frameworks import Framework, ask, framework_of
from .parts import NOTEBOOK_MODULE, Method
from .source import CodeCapture

__all__ = ["Question", "Subject", "is_function", "is_service", "subject_of"]

#: Methods that become endpoints unasked, the most important first.
MODEL_METHODS = (
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "score_samples",
    "transform",
)
#: How the names of methods begin that change their object, or are nobody else's business.
CHANGING = ("fit", "partial_fit", "set_", "_")
#: Routes that every BentoML service has.
TAKEN_ROUTES = frozenset(["healthz", "livez", "readyz", "metrics"])
#: Attributes of BentoML's proxy of a service (`_bentoml_impl/client/proxy.py`), where it looks endpoints up.
TAKEN_NAMES = frozenset(
    [
        "as_service",
        "bento_service",
        "call",
        "client_url",
        "close",
        "endpoints",
        "is_ready",
        "to_async",
        "to_sync",
    ]
)
FUNCTIONS = (
    types.FunctionType,
    types.MethodType,
    types.BuiltinFunctionType,
    functools.partial,
    type(functools.lru_cache(len)),
)


@dataclass(frozen=True)
class Question:
    """One thing that can be asked of a live object, and how the service asks it.

    Attributes:
        name: Name of the endpoint.
        parameters: Its parameters; those of `*args` and `**kwargs` are not among them.
        hints: Resolved annotations by name, `return` among them.
        ask: Asks the live object; takes the parameters by name.
        body: Source of what is called in the service; lines of a function body for models.
        kind: `plain`, `async`, `stream` or `async stream`.
        rows: True when it takes rows of a table, as scikit-learn does.
        imports: Import lines that `body` needs.
        globals: The names that the code sees, to be put back after asking; None = none.
        rest: Its `*args` and `**kwargs`, as written; a request has nothing for them.
    """

    name: str
    parameters: tuple[inspect.Parameter, ...]
    hints: Mapping[str, Any]
    ask: Callable[..., Any]
    body: str
    kind: str = "plain"
    rows: bool = False
    imports: tuple[str, ...] = ()
    globals: dict[str, Any] | None = field(default=None, repr=False)
    rest: tuple[str, ...] = ()


@dataclass(frozen=True)
class Subject:
    """What is to be served.

    Attributes:
        kind: `model`, `function`, `object`, `class` or `service`.
        title: What to call it in texts.
        type: Full name of its class.
        questions: What it can be asked, the most important first.
        model: The live model and its framework; None for the other kinds.
        model_name: Name it is saved under.
        left_out: What becomes no endpoint, with the reason.
        asked: The endpoints that were named: each of them has to work.
        known: Names of all that it could be asked.
        by_endpoint: True when the sample is a dict of a sample for each endpoint.
        has_image: True for a service that says itself what its image is.
        setup: Lines that make `self._object` when the service starts.
    """

    kind: str
    title: str
    type: str
    questions: list[Question]
    model: tuple[Any, Framework] | None = None
    model_name: str = "model"
    left_out: dict[str, str] = field(default_factory=dict)
    asked: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    by_endpoint: bool = False
    has_image: bool = False
    setup: tuple[str, ...] = ()


def is_service(obj: Any) -> bool:
    """True for what `@bentoml.service` makes of a class."""
    return type(obj).__module__.startswith("_bentoml_sdk.service") and hasattr(obj, "inner")


def is_function(obj: Any) -> bool:
    """True for functions, methods, partials and cached functions."""
    return isinstance(obj, FUNCTIONS)


def subject_of(
    objects: Mapping[str, Any], code: CodeCapture, *, sample: Any, endpoints: Sequence[str] | None
) -> Subject:
    """Settle what of the objects is served, and capture the code that takes.

    Args:
        objects: By the name that each has in the notebook; with several, the functions are the endpoints.
        code: Where code is captured.
        sample: The sample; a dict by names of methods chooses these.
        endpoints: What is to be served; None = what suits.

    Raises:
        NotServableError: Nothing of them can be served, or it is not clear what.
    """
    if len(objects) > 1:
        return several(objects, code, endpoints)
    ((name, obj),) = objects.items()
    if isinstance(obj, types.ModuleType):
        raise NotServableError(f"{name} is a module", hint="give a function, a class or an object of it")
    if isinstance(obj, type):
        return plain_class(name, obj, code, sample, endpoints)
    if is_function(obj):
        refuse_endpoints(name, endpoints)
        return functions({name: obj}, code)
    framework = framework_of(obj)
    methods = framework.methods(obj)
    if methods or (hasattr(obj, "fit") and hasattr(obj, "get_params")):
        return model(name, obj, framework, methods, endpoints)
    return instance(name, obj, code, sample, endpoints)


def several(objects: Mapping[str, Any], code: CodeCapture, endpoints: Sequence[str] | None) -> Subject:
    asked = {name: obj for name, obj in objects.items() if is_function(obj)}
    if endpoints is not None:
        unknown = [name for name in endpoints if name not in asked]
        if unknown:
            raise NotServableError(
                f"{unknown[0]!r} is none of the functions named",
                hint=f"functions: {', '.join(asked) or 'none'}",
            )
    if not asked:
        raise NotServableError(
            f"it is not clear which of {', '.join(objects)} is to be called",
            hint="name a function that uses the others, or put them into one Pipeline",
        )
    for name, obj in objects.items():
        if name not in asked:
            code.add_value(name, obj, "it was named")
    helpers = {
        name: obj
        for name, obj in asked.items()
        if (name not in endpoints if endpoints is not None else is_used_by_another(name, asked))
    }
    if len(helpers) == len(asked):  # they call one another
        helpers = {}
    for name, obj in helpers.items():
        code.add_value(name, obj, "it was named")
    return functions({name: obj for name, obj in asked.items() if name not in helpers}, code)


def is_used_by_another(name: str, functions_: Mapping[str, Any]) -> bool:
    """Whether another of the functions reads this one by its name: then it goes along with that."""
    others = [inspect.unwrap(obj) for other, obj in functions_.items() if other != name]
    return any(
        name in names_read(other.__code__) for other in others if isinstance(other, types.FunctionType)
    )


def names_read(code: types.CodeType) -> set[str]:
    """Names of globals and attributes that a function's code reads, inner functions included."""
    inner = [const for const in code.co_consts if isinstance(const, types.CodeType)]
    return set(code.co_names).union(*(names_read(const) for const in inner))


def refuse_endpoints(name: str, endpoints: Sequence[str] | None) -> None:
    wrong = [point for point in endpoints or () if point != name]
    if wrong:
        raise NotServableError(
            f"the function {name} has no endpoint {wrong[0]!r}", hint=f"its endpoint is {name}"
        )


def functions(found: Mapping[str, Any], code: CodeCapture) -> Subject:
    questions = []
    for name, function in found.items():
        check_endpoint_name(name, f"the function {name}")
        code.add_value(name, function, "an endpoint")
        questions.append(question_of(name, function, f"{NOTEBOOK_MODULE}.{name}"))
    title = ", ".join(found)
    return Subject("function", title, "function", questions)


def plain_class(
    name: str, cls: type, code: CodeCapture, sample: Any, endpoints: Sequence[str] | None
) -> Subject:
    if hasattr(cls, "fit") and hasattr(cls, "get_params"):
        raise NotServableError(f"{name} is a class, not a fitted estimator", hint=f"clf = {name}().fit(X, y)")
    needed = [
        parameter.name
        for parameter in signature_of(cls, name).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    if needed:
        raise NotServableError(
            f"the class {name} needs {', '.join(needed)} to make an object of it",
            hint=f"give an object: {name.lower()} = {name}(...)",
        )
    home = code.refer(cls, "it is served")
    if home.library:
        raise NotServableError(f"{name} is a class of {home.module}", hint="give an object of it")
    obj = cls()
    found = methods_of(name, obj, "self._object", sample, endpoints)
    return replace(
        found, kind="class", type=f"{cls.__module__}.{cls.__qualname__}",
        setup=(f"self._object = {home.module}.{home.name}()",),
    )  # fmt: skip


def instance(name: str, obj: Any, code: CodeCapture, sample: Any, endpoints: Sequence[str] | None) -> Subject:
    found = methods_of(name, obj, f"{NOTEBOOK_MODULE}.{name}", sample, endpoints)
    code.add_value(name, obj, "it is served")
    return found


def methods_of(name: str, obj: Any, expression: str, sample: Any, endpoints: Sequence[str] | None) -> Subject:
    """An object of a class of the notebook, with those of its methods that become endpoints."""
    public = public_methods(obj)
    by_endpoint = False
    if endpoints is not None:
        chosen = [endpoints] if isinstance(endpoints, str) else list(dict.fromkeys(endpoints))
        by_endpoint = isinstance(sample, dict) and bool(sample) and set(sample) <= set(chosen)
    elif isinstance(sample, dict) and sample and set(sample) <= set(public):
        chosen, by_endpoint = list(sample), True
    else:
        chosen = [method for method in MODEL_METHODS if method in public and method != "transform"]
        if not chosen and callable(obj):
            chosen = ["__call__"]
        if not chosen and len(public) == 1:
            chosen = public
        if not chosen and public:
            raise NotServableError(
                f"it is not clear which methods of {name} are to be called: {', '.join(public)}",
                hint=f"--endpoint {public[0]}, or a sample for each: {{{public[0]!r}: ...}}",
            )
    unknown = [method for method in chosen if not callable(getattr(obj, method, None))]
    if unknown or not chosen:
        what = f"no method {unknown[0]!r}" if unknown else "no method that could be called"
        raise NotServableError(
            f"no endpoint can be made of {name}: a {type(obj).__name__} has {what}",
            hint="give a fitted model, a function, or an object with a method such as predict",
        )
    questions = []
    for method in chosen:
        point = name if method == "__call__" else method
        check_endpoint_name(point, f"{name}.{method}")
        call = expression if method == "__call__" else f"{expression}.{method}"
        questions.append(question_of(point, getattr(obj, method), call))
    return Subject(
        "object",
        name,
        f"{type(obj).__module__}.{type(obj).__qualname__}",
        questions,
        left_out={method: "it was not asked for" for method in public if method not in chosen},
        asked=tuple(chosen) if endpoints is not None else (),
        known=tuple(public),
        by_endpoint=by_endpoint,
    )


def public_methods(obj: Any) -> list[str]:
    """Methods that an object's own classes of the notebook, or a class, define, in their order."""
    names: dict[str, None] = {}
    for cls in (obj if isinstance(obj, type) else type(obj)).__mro__[:-1]:
        for name, value in vars(cls).items():
            function = value.__func__ if isinstance(value, (staticmethod, classmethod)) else value
            if not name.startswith("_") and isinstance(function, FUNCTIONS):
                names.setdefault(name)
    return [name for name in names if not name.startswith(CHANGING)]


def model(
    name: str, obj: Any, framework: Framework, methods: list[Method], endpoints: Sequence[str] | None
) -> Subject:
    framework.check(obj)
    obj = framework.answering(obj)
    left_out: dict[str, str] = {}
    known = {method.name: method for method in methods}
    if endpoints is None:
        chosen = list(known)
        if "transform" in known and "predict" in known:
            chosen.remove("transform")
            left_out["transform"] = "it has predict; ask for it by name to serve both"
    else:
        chosen = [endpoints] if isinstance(endpoints, str) else list(dict.fromkeys(endpoints))
    questions = []
    for point in chosen:
        if point.startswith(CHANGING):  # asking once would change the notebook's object
            left_out[point] = "it changes the object"
            continue
        method = known.get(point)
        if method is None:
            if not callable(getattr(obj, point, None)):
                left_out[point] = why_absent(obj, point) or "it is no method"
                continue
            method = Method(point, ("X",), f"return model.{point}(X)")
        questions.append(question_of_model(obj, method))
    for absent in MODEL_METHODS:
        if endpoints is None and absent not in known and (reason := why_absent(obj, absent)):
            left_out[absent] = reason
    title = type(obj).__name__
    saved_as = name if name.isidentifier() and not keyword.iskeyword(name) else "model"
    return Subject(
        "model", title, f"{type(obj).__module__}.{type(obj).__qualname__}", questions, model=(obj, framework),
        model_name=saved_as, left_out=left_out,
        asked=tuple(chosen) if endpoints is not None else (), known=tuple(known),
    )  # fmt: skip


def why_absent(obj: Any, method: str) -> str:
    """What the object itself says about a method that it could have, set up otherwise; "" otherwise."""
    try:
        getattr(obj, method)
    except AttributeError as error:
        reason = str(error.__cause__ or error)
        return "" if "no attribute" in reason else reason
    return ""


def question_of_model(obj: Any, method: Method) -> Question:
    parameters = tuple(
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in method.parameters
    )

    def asked(**inputs: Any) -> Any:
        return ask(method, obj, inputs)

    return Question(
        method.name,
        parameters,
        {},
        asked,
        method.body,
        rows=method.parameters == ("X",),
        imports=method.imports,
    )


def question_of(name: str, function: Callable[..., Any], expression: str) -> Question:
    """The question that a function or method is."""
    parameters = []
    rest = []
    for parameter in signature_of(function, name).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            rest.append(("*" if parameter.kind is parameter.VAR_POSITIONAL else "**") + parameter.name)
            continue  # a request has names for everything: what has none is left at nothing
        if parameter.name.startswith("_") or parameter.name in ("self", NOTEBOOK_MODULE):
            if parameter.default is parameter.empty:
                raise NotServableError(
                    f"the parameter {parameter.name!r} of {name} cannot be the name of a value in a request",
                    hint="rename it",
                )
            continue
        parameters.append(parameter)
    parameters = by_position(function, parameters)

    positional = [p.name for p in parameters if p.kind is p.POSITIONAL_ONLY]

    def asked(**inputs: Any) -> Any:
        first = [inputs.pop(key) for key in positional if key in inputs]
        return function(*first, **inputs)

    inner = inspect.unwrap(function.func if isinstance(function, functools.partial) else function)
    called = inner if inspect.isroutine(inner) else inspect.getattr_static(type(inner), "__call__", inner)
    if inspect.isasyncgenfunction(called):
        kind = "async stream"
    elif inspect.iscoroutinefunction(called):
        kind = "async"
    else:
        kind = "stream" if inspect.isgeneratorfunction(called) else "plain"
    names = getattr(getattr(inner, "__func__", inner), "__globals__", None)
    return Question(
        name,
        tuple(parameters),
        hints_of(inner),
        asked,
        expression,
        kind,
        globals=names,
        rest=tuple(rest),
    )


def by_position(function: Any, parameters: list[inspect.Parameter]) -> list[inspect.Parameter]:
    """Parameters that a wrapper takes by position alone, marked as such: it is `def wrapper(*args)`."""
    try:
        own = inspect.signature(function, follow_wrapped=False).parameters.values()
    except (ValueError, TypeError):
        return parameters
    kinds = {parameter.kind for parameter in own}
    if inspect.Parameter.VAR_POSITIONAL not in kinds or inspect.Parameter.VAR_KEYWORD in kinds:
        return parameters
    if {each.name for each in parameters} <= {parameter.name for parameter in own}:
        return parameters
    keyword_only = inspect.Parameter.KEYWORD_ONLY
    return [
        each if each.kind is keyword_only else each.replace(kind=inspect.Parameter.POSITIONAL_ONLY)
        for each in parameters
    ]


def signature_of(function: Any, name: str) -> inspect.Signature:
    try:
        return inspect.signature(function)
    except (ValueError, TypeError) as error:
        raise NotServableError(
            f"{name} does not say what parameters it has", hint="wrap it into a function of the notebook"
        ) from error


def hints_of(function: Any) -> dict[str, Any]:
    """Resolved annotations; those that cannot be resolved are left out."""
    try:
        return typing.get_type_hints(function, include_extras=True)
    except Exception:  # annotations may be any expression, and raise anything
        found = getattr(function, "__annotations__", {})
        return {name: hint for name, hint in found.items() if not isinstance(hint, str)}


def check_endpoint_name(name: str, what: str) -> None:
    """Refuse names that no method of a service can have.

    Raises:
        NotServableError: With what to do.
    """
    if name in TAKEN_ROUTES or name in TAKEN_NAMES:
        raise NotServableError(
            f"{what} cannot be an endpoint: BentoML has a {name!r} of its own in every service",
            hint="give it another name",
        )
    if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
        raise NotServableError(
            f"{what} has no name that an endpoint can have", hint="bind it to a plain name"
        )
