"""Asks the live objects the sample: types, expected answers, and what cannot be served."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bento_jupyter.codec import CodecError, Descriptor, decode, describe, encode
from bento_jupyter.errors import BentoJupyterError, NotServableError, SampleError

from ..parts import Case, Parameter
from ..proof.compare import compare
from ..source import CodeCapture
from ..subjects import Question, Subject
from .answers import answer, unsteady
from .bad_samples import bad_inputs
from .sample import (
    as_sample,
    describe_sample,
    inputs_of,
    rows_of,
    width_problem,
    with_first_row,
)
from .schema import annotation_of, describe_parameter
from .signatures import default_source, hint_source, is_loose_hint

if TYPE_CHECKING:
    from ..plan import EndpointPlan

__all__ = ["plan_endpoints"]

#: Errors that say that a value was wrong: the service answers 400.
MISTAKES = (ArithmeticError, AssertionError, LookupError, TypeError, ValueError)
#: What is told of parameters whose default no signature can say.
FIXED = "always as by default, which is no plain value; given in the sample it is an input"
ROWS_HINT = "it takes rows: give X_test[:5], not X_test[0]"


def plan_endpoints(
    subject: Subject, code: CodeCapture, sample: Any, *, allow_different: bool
) -> tuple[list[EndpointPlan], dict[str, str]]:
    """Ask the object everything it can be asked, and see what of it can be served.

    Raises:
        NotServableError: An endpoint that was asked for cannot be made, or none at all.
        SampleError: The object does not take the sample.
    """
    points: list[EndpointPlan] = []
    left_out = dict(subject.left_out)
    optional = subject.kind == "model" and not subject.asked
    for question in subject.questions:
        own = sample
        if subject.by_endpoint or (len(subject.questions) > 1 and subject.kind == "function"):
            own = sample.get(question.name, sample) if isinstance(sample, dict) else sample
        try:
            points.append(plan_endpoint(question, subject, code, own, allow_different=allow_different))
        except BentoJupyterError as error:
            if isinstance(error, SampleError) and not points:
                raise
            if not optional and subject.kind != "model":
                raise
            left_out[question.name] = error.message
        else:
            takes = {parameter.name for parameter in points[-1].parameters}
            if fixed := [each.name for each in question.parameters if each.name not in takes]:
                left_out[f"{question.name}({', '.join(fixed)})"] = FIXED
    refused = [f"{name}: {left_out[name]}" for name in subject.asked if name in left_out]
    if refused or not points:
        reasons = refused or [f"{name}: {reason}" for name, reason in left_out.items()]
        said = f" for {'; '.join(reasons)}" if reasons else ""
        others = [name for name in subject.known if name not in left_out]
        raise NotServableError(
            f"no endpoint can be made of this {subject.title}{said}",
            hint=f"endpoints it may have: {', '.join(others) or 'none'}",
        )
    return points, left_out


def plan_endpoint(
    question: Question, subject: Subject, code: CodeCapture, sample: Any, *, allow_different: bool
) -> EndpointPlan:
    """One endpoint.

    Raises:
        SampleError: The object does not take the sample, or it cannot be sent.
        NotServableError: The answer cannot be sent, or is another one each time.
    """
    from ..plan import EndpointPlan

    inputs = {"X": as_sample(sample)} if question.rows else inputs_of(question, sample)
    takes = {name: described(name, value, question) for name, value in inputs.items()}
    names = question.globals
    try:
        expected = answer(question.ask, inputs, names)
    except NotServableError:
        raise
    except Exception as error:  # whatever the notebook's code raises
        raise refused_sample(question, subject, inputs, error) from error
    stream = "stream" in question.kind
    gives = describe_answer(question, expected, stream)
    if not allow_different and (reason := unsteady(question.ask, inputs, expected, names)):
        hint = "set random_state, or keep no state between calls; --allow-different builds it all the same"
        raise NotServableError(f"{question.name} cannot be proven: {reason}", hint=hint)
    if question.rows and not is_indexed(expected):
        inputs = {"X": without_index(inputs["X"])}
        takes = {"X": describe_sample(inputs["X"])}
    is_service = subject.kind == "service"
    parameters, imports = parameters_of(question, takes, code, is_service=is_service)
    own_output = is_service and not is_loose_hint(question.hints.get("return"))
    typed = f'TYPES["{question.name}"]["output"]'
    annotation = ""
    if gives is not None and not stream and not own_output:
        annotation, lines = annotation_with(gives, typed, question.hints.get("return"), code)
        imports |= lines
    cases = [Case(question.name, title_of(inputs), inputs, expected)]
    cases += more_cases(question, inputs, names)
    return EndpointPlan(
        question.name,
        tuple(parameters),
        gives,
        annotation,
        body_of(question, subject, parameters),
        question.kind,
        tuple(cases),
        tuple(sorted({*imports, *question.imports})),
        own_output,
    )


def body_of(question: Question, subject: Subject, parameters: Sequence[Parameter]) -> str:
    """Source of the call, with the parameters that a request has; those of a model are lines as they are."""
    if subject.kind in ("model", "service"):
        return question.body
    there = {parameter.name for parameter in parameters}
    words = [
        each.name if each.kind is each.POSITIONAL_ONLY else f"{each.name}={each.name}"
        for each in question.parameters
        if each.name in there
    ]
    return f"{question.body}({', '.join(words)})"


def described(name: str, value: Any, question: Question) -> Descriptor | None:
    """The descriptor of an input that comes back from JSON as it was.

    Raises:
        SampleError: It would not.
    """
    if question.rows:
        return describe_sample(value)
    try:
        descriptor = describe_parameter(value, question.hints.get(name))
        problem = there_and_back(value, descriptor)
    except CodecError as error:
        raise SampleError(
            f"the sample of {name} cannot be sent: {error}",
            hint="give what can be: arrays, frames, text, JSON",
        ) from error
    if problem:
        raise SampleError(f"the sample of {name} does not come back as it was: {problem}")
    return descriptor


def there_and_back(value: Any, descriptor: Descriptor) -> str:
    """What of a value changes on its way through JSON; "" when nothing does."""
    if descriptor["kind"] in ("model", "image", "file"):
        return ""
    back = decode(json.loads(json.dumps(encode(value, descriptor), allow_nan=False)), descriptor)
    difference = compare(value, back)
    return "" if difference.equal and not difference.max_difference else difference.detail


def describe_answer(question: Question, expected: Any, stream: bool) -> Descriptor | None:
    """The descriptor of an answer that JSON carries exactly; of a part, for a stream.

    Raises:
        NotServableError: It does not.
    """
    hint = None if stream else question.hints.get("return")
    try:
        if stream:
            kinds = [describe(part) for part in expected]
            if any(kind != kinds[0] for kind in kinds):
                return {"kind": "json"}
            descriptor = kinds[0] if kinds else {"kind": "json"}
            expected = expected[0] if expected else None
        else:
            descriptor = describe_parameter(expected, hint)
        problem = there_and_back(expected, descriptor)
    except CodecError as error:
        raise NotServableError(
            f"the answer of {question.name} cannot be sent: {error}",
            hint="return an array, a DataFrame, text, numbers, or dicts and lists of them",
        ) from error
    if problem:
        raise NotServableError(
            f"the answer of {question.name} does not come back from JSON as it was: {problem}"
        )
    return descriptor


def is_indexed(value: Any) -> bool:
    return hasattr(value, "iloc")


def without_index(rows: Any) -> Any:
    return rows.reset_index(drop=True) if hasattr(rows, "iloc") else rows


def parameters_of(
    question: Question, takes: Mapping[str, Descriptor | None], code: CodeCapture, *, is_service: bool
) -> tuple[list[Parameter], set[str]]:
    """The parameters as they stand in the service, with the imports their annotations need."""
    parameters: list[Parameter] = []
    imports: set[str] = set()
    for parameter in question.parameters:
        descriptor = takes.get(parameter.name)
        own = is_service and not is_loose_hint(question.hints.get(parameter.name))
        default = None
        if parameter.default is not inspect.Parameter.empty:
            default = default_source(parameter.default)
            if descriptor is None and default is None:
                if own:  # its signature stays, whatever the default is
                    parameters.append(Parameter(parameter.name, {"kind": "any"}, "", None, own))
                continue  # a function has its own default, which no request can say
        if descriptor is None:
            descriptor = describe_parameter(parameter.default, question.hints.get(parameter.name))
        typed = f'TYPES["{question.name}"]["inputs"]["{parameter.name}"]'
        annotation, lines = annotation_with(descriptor, typed, question.hints.get(parameter.name), code)
        if not own:
            imports |= lines
        parameters.append(Parameter(parameter.name, descriptor, "" if own else annotation, default, own))
    # Python wants what has a default behind what has none.
    return sorted(parameters, key=lambda item: item.default is not None), imports


def annotation_with(
    descriptor: Descriptor, typed: str, hint: Any, code: CodeCapture
) -> tuple[str, frozenset[str]]:
    """Source of an annotation, and its imports; a class of the notebook is captured for it."""
    if descriptor["kind"] != "model":
        return annotation_of(descriptor, typed)
    cls, lines = hint_source(hint, code)
    annotation, others = annotation_of(descriptor, typed, cls)
    return annotation, frozenset(lines | others)


def refused_sample(
    question: Question, subject: Subject, inputs: Mapping[str, Any], error: Exception
) -> SampleError:
    if question.rows and subject.model is not None:
        problem, hint = width_problem(inputs["X"], subject.model[0])
        if problem:
            return SampleError(problem, hint=hint)
    hint = f"try {question.name}(sample) in a cell"
    if question.rows and inputs["X"].ndim == 1:
        hint = ROWS_HINT
    return SampleError(
        f"{question.name} of the {subject.title} does not take the sample: {in_short(error)}"
        if subject.kind != "function"
        else f"{question.name} does not take the sample: {in_short(error)}",
        hint=hint,
    )


def in_short(error: Exception) -> str:
    """Class and first line of an error; scikit-learn goes on for paragraphs."""
    first, *_ = str(error).splitlines() or [""]
    return f"{type(error).__name__}: {first.rstrip(':')}"


def title_of(inputs: Mapping[str, Any]) -> str:
    rows = rows_of(inputs)
    return "the sample" if rows is None else f"{rows} row{'s' * (rows != 1)}"


def more_cases(question: Question, inputs: Mapping[str, Any], names: dict[str, Any] | None) -> list[Case]:
    """One row alone, and samples that are refused, where there are such."""
    cases = []
    one = with_first_row(inputs)
    if one is not None:
        cases.append(case_of(question, "one row", one, names))
    for title, bad in bad_inputs(inputs):
        try:
            answer(question.ask, bad, names)
        except Exception as error:  # whatever the notebook's code raises
            # A wrong width is refused before the code sees it; else the service must call it a mistake.
            if title == "a column missing" or (question.body and isinstance(error, MISTAKES)):
                cases.append(Case(question.name, title, bad, refused=in_short(error)))
    return cases


def case_of(question: Question, title: str, inputs: Mapping[str, Any], names: dict[str, Any] | None) -> Case:
    try:
        return Case(question.name, title, inputs, answer(question.ask, inputs, names))
    except Exception as error:  # whatever the notebook's code raises: the service has to refuse it as well
        return Case(question.name, title, inputs, refused=in_short(error))
