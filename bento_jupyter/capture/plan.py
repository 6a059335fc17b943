"""The plan: what an object will become, settled and checked before anything is written."""

from __future__ import annotations

import json
import platform
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bento_jupyter.codec import CodecError, Descriptor, decode, describe, encode
from bento_jupyter.errors import BuildError, NotServableError, SampleError
from bento_jupyter.spec import NAME_PATTERN

from .compare import compare
from .distributions import Distributions, closure
from .objects import Contents, save_object
from .sample import as_sample, describe_sample, width_problem

__all__ = ["METHODS", "EndpointPlan", "Plan", "Requirement", "make_plan"]

#: Methods that become endpoints, the most important first.
METHODS = ("predict", "predict_proba", "predict_log_proba", "decision_function", "score_samples", "transform")
#: How the names of methods begin that change their object, or are nobody else's business.
CHANGING = ("fit", "partial_fit", "set_", "_")
ROWS_HINT = "it takes rows: give X_test[:5], not X_test[0]"


@dataclass(frozen=True)
class EndpointPlan:
    """One endpoint.

    Attributes:
        name: Name of the method and of the route.
        input: Descriptor of its one parameter, `X`.
        output: Descriptor of its answer.
        expected: The object's answer to the sample.
    """

    name: str
    input: Descriptor
    output: Descriptor
    expected: Any = field(repr=False)


@dataclass(frozen=True)
class Requirement:
    """A distribution that the Bento needs directly.

    Attributes:
        name: Its name.
        version: The version installed in the kernel.
        why: What needs it.
    """

    name: str
    version: str
    why: str


@dataclass(frozen=True, repr=False)
class Plan:
    """What an object will become.

    Attributes:
        name: Name of the Bento.
        endpoints: What it will answer.
        left_out: Methods that become no endpoints, with the reason.
        requirements: The distributions it needs directly.
        lock: All it needs, `name==version`.
        absent: What the metadata of those asks for but the kernel does not have.
        python: Version of Python, e.g. "3.11".
        sample: The rows that go into the Bento as its proof.
        sample_rows: Their number.
        contents: What the object is made of.
        label: What to call it in texts; its class when "".
    """

    name: str
    endpoints: list[EndpointPlan]
    left_out: dict[str, str]
    requirements: list[Requirement]
    lock: list[str]
    absent: list[str]
    python: str
    sample: Any = field(repr=False)
    sample_rows: int
    contents: Contents = field(repr=False)
    label: str = ""

    @property
    def object(self) -> tuple[str, int]:
        """Full name of the object's class, and its size when saved, in bytes."""
        return self.contents.kind, self.contents.size

    def __repr__(self) -> str:
        kind, size = self.object
        lines = [f"{self.name}: {kind}, {size:,} bytes, Python {self.python}"]
        lines += [
            f"  /{point.name}: X {in_words(point.input)} -> {in_words(point.output)}"
            for point in self.endpoints
        ]
        lines += [f"  without {name}: {reason}" for name, reason in self.left_out.items()]
        lines += [f"  needs {item.name}=={item.version}: {item.why}" for item in self.requirements]
        lines.append(f"  lock: {len(self.lock)} distributions; proof: {self.sample_rows} rows of the sample")
        return "\n".join(lines)


def in_words(descriptor: Descriptor) -> str:
    """A descriptor for people, e.g. `float64 array (rows, 4)`.

    Example:
        >>> in_words({"kind": "array", "dtype": "float64", "shape": [-1, 4]})
        'float64 array (rows, 4)'
    """
    if descriptor["kind"] == "frame":
        columns = descriptor["columns"]
        shown = ", ".join(f"{column['name']} {column['dtype']}" for column in columns[:4])
        return f"DataFrame ({shown}{', ...' if len(columns) > 4 else ''})"
    if descriptor["kind"] == "array":
        rest = "".join(f", {size}" for size in descriptor["shape"][1:])
        return f"{descriptor['dtype']} array (rows{rest})"
    return f"{descriptor['dtype']} {descriptor['kind']}"


def make_plan(
    name: str, obj: Any, *, sample: Any, endpoints: Sequence[str] | None = None, label: str = ""
) -> Plan:
    """Settle what an object becomes; nothing is written, the object is not changed.

    Args:
        name: Name of the Bento: small letters, digits, `-` and `_`.
        obj: A fitted scikit-learn estimator or Pipeline of library classes.
        sample: Input like that which will come: array or DataFrame; its first 100 rows become the proof.
        endpoints: Methods to serve; None = all that it has of `METHODS` (`transform` only without `predict`).
        label: What to call the object in texts, e.g. its name in the notebook.

    Returns:
        The plan.

    Raises:
        NotServableError: No endpoint can be made of the object, or it refers to code of the notebook.
        SampleError: The sample does not fit the object.
        BuildError: The name is not allowed, or something it needs is not a released distribution.

    Example:
        >>> plan = make_plan("iris", clf, sample=X_test[:5])  # doctest: +SKIP
        >>> [point.name for point in plan.endpoints]          # doctest: +SKIP
        ['predict', 'predict_proba']
    """
    check_name(name)
    check_estimator(obj)
    contents = save_object(obj)  # before it is asked: nearest-neighbour trees count their queries
    rows = as_sample(sample)
    takes = describe_sample(rows)
    points, left_out = plan_endpoints(obj, rows, takes, endpoints)
    requirements = direct_requirements(contents, takes, points)
    lock = closure(item.name for item in requirements)
    return Plan(
        name=name,
        endpoints=points,
        left_out=left_out,
        requirements=requirements,
        lock=lock.pins,
        absent=lock.absent,
        python=".".join(platform.python_version_tuple()[:2]),
        sample=rows,
        sample_rows=len(rows),
        contents=contents,
        label=label,
    )


def check_name(name: str) -> None:
    """Refuse names that BentoML's tags do not allow.

    Raises:
        BuildError: With a name that would do.
    """
    if not isinstance(name, str):
        raise BuildError(
            f"the name of the Bento comes first, not a {type(name).__name__}",
            hint='bj.build("iris", clf, sample=X_test[:5])',
        )
    if NAME_PATTERN.match(name):
        return
    import re

    better = re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-_")[:63]
    raise BuildError(
        f"{name!r} is no name for a Bento: small letters, digits, '-' and '_', at most 63",
        hint=f"e.g. {better}" if better else "e.g. iris",
    )


def check_estimator(obj: Any) -> None:
    """Refuse what is not a fitted estimator with something to answer.

    Raises:
        NotServableError: With what to do about it.
    """
    kind = type(obj).__name__
    if isinstance(obj, type):
        raise NotServableError(
            f"{obj.__name__} is a class, not a fitted estimator", hint=f"clf = {obj.__name__}().fit(X, y)"
        )
    if not (hasattr(obj, "fit") and hasattr(obj, "get_params")):
        raise NotServableError(
            f"no endpoint can be made of a {kind}", hint="give a fitted scikit-learn estimator or Pipeline"
        )
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    try:
        check_is_fitted(obj)
    except NotFittedError as error:
        raise NotServableError(f"the {kind} is not fitted", hint="call .fit(X, y) first") from error
    if not any(hasattr(obj, method) for method in METHODS):
        raise NotServableError(
            f"the {kind} has nothing to serve: none of {', '.join(METHODS)}",
            hint="estimators such as DBSCAN only label what they were fitted on",
        )


def plan_endpoints(
    obj: Any, rows: Any, takes: Descriptor, wanted: Sequence[str] | None
) -> tuple[list[EndpointPlan], dict[str, str]]:
    """Ask the object everything it can answer, and see what of it can be served.

    Raises:
        NotServableError: An endpoint that was asked for cannot be made, or none at all.
        SampleError: The object does not take the sample.
    """
    points: list[EndpointPlan] = []
    left_out: dict[str, str] = {}
    if wanted is not None:
        wanted = [wanted] if isinstance(wanted, str) else list(dict.fromkeys(wanted))
    for method in wanted if wanted is not None else METHODS:
        if method.startswith(CHANGING):  # asking once would change the notebook's object
            left_out[method] = "it changes the object"
            continue
        if not callable(getattr(obj, method, None)):
            reason = why_absent(obj, method)
            if (
                wanted is not None or "no attribute" not in reason
            ):  # it could have the method, set up otherwise
                left_out[method] = reason or "it is no method"
            continue
        if wanted is None and method == "transform" and any(point.name == "predict" for point in points):
            left_out[method] = "it has predict; ask for it by name to serve both"
            continue
        try:
            expected = getattr(obj, method)(rows)
        except Exception as error:
            if not points:
                problem, hint = width_problem(rows, obj)
                if problem:
                    raise SampleError(problem, hint=hint) from error
                raise SampleError(
                    f"{method} of the {type(obj).__name__} does not take the sample: {in_short(error)}",
                    hint=ROWS_HINT if rows.ndim == 1 else f"try .{method}(sample) in a cell",
                ) from error
            left_out[method] = f"it raised {in_short(error)}"
            continue
        reason, output = describe_answer(expected)
        if not reason:
            reason = unsteady(obj, method, rows, expected)
        if reason or output is None:
            left_out[method] = reason
        else:
            points.append(EndpointPlan(method, takes, output, expected))
    refused = [f"{method}: {left_out[method]}" for method in wanted or () if method in left_out]
    if refused or not points:
        reasons = refused or [f"{method}: {reason}" for method, reason in left_out.items()]
        others = [method for method in METHODS if method not in left_out and hasattr(obj, method)]
        raise NotServableError(
            f"no endpoint can be made of this {type(obj).__name__} for {'; '.join(reasons)}",
            hint=f"endpoints it may have: {', '.join(others) or 'none'}",
        )
    return points, left_out


def in_short(error: Exception) -> str:
    """Class and first line of an error; scikit-learn goes on for paragraphs."""
    first, *_ = str(error).splitlines() or [""]
    return f"{type(error).__name__}: {first.rstrip(':')}"


def why_absent(obj: Any, method: str) -> str:
    """What the estimator itself says about a method that it has not."""
    try:
        getattr(obj, method)
    except AttributeError as error:
        return str(error.__cause__ or error)
    return ""


def describe_answer(answer: Any) -> tuple[str, Descriptor | None]:
    """The descriptor of an answer that JSON carries exactly, or the reason why it does not."""
    try:
        descriptor = describe(answer)
        back = decode(json.loads(json.dumps(encode(answer, descriptor), allow_nan=False)), descriptor)
    except CodecError as error:
        return f"its answer cannot be sent: {error}", None
    difference = compare(answer, back)
    if not difference.equal or difference.max_difference:
        return f"its answer does not come back from JSON as it was: {difference.detail}", None
    return "", descriptor


def unsteady(obj: Any, method: str, rows: Any, first: Any) -> str:
    """Why a method cannot be proven: it answers otherwise each time it is asked; "" when it does not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # said once already
        again = getattr(obj, method)(rows)
    return (
        "" if compare(first, again).equal else "it answers otherwise each time it is asked; set random_state"
    )


def direct_requirements(
    contents: Contents, takes: Descriptor, points: Sequence[EndpointPlan]
) -> list[Requirement]:
    """The distributions that the object and its sample need, each with the evidence."""
    from importlib.metadata import version

    installed = Distributions.installed()
    why: dict[str, str] = {}
    for module in sorted(contents.modules, key=lambda module: (module.count("."), module)):
        name = installed.origin(module)
        if name and name not in why:
            why[name] = f"the object refers to {module}.{sorted(contents.modules[module])[0]}"
    why.setdefault("numpy", "the sample and the answers are arrays")
    if any(
        descriptor["kind"] in ("frame", "series")
        for descriptor in (takes, *(point.output for point in points))
    ):
        why.setdefault("pandas", "the sample or an answer is a DataFrame")
    why.setdefault("joblib", "reads the saved object")
    why.setdefault("scikit-learn", "the interface of the object")
    why["bentoml"] = "serves it"
    return [Requirement(name, version(name), why[name]) for name in sorted(why)]
