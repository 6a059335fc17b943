"""The plan: what objects of the notebook will become, settled and checked before anything is written."""

from __future__ import annotations

import hashlib
import platform
import re
import shutil
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bento_jupyter.codec import Descriptor
from bento_jupyter.errors import BuildError, NotServableError
from bento_jupyter.spec import NAME_PATTERN

from .frameworks import Framework, framework_of
from .interface.endpoints import plan_endpoints
from .packages.distributions import closure
from .packages.requirements import Requirement, requirements_of
from .packages.wheels import local_warnings
from .parts import Case, DataObject, Definition, Home, Parameter, ProjectModule, Saved
from .services import service_subject
from .source import CodeCapture, library_changes
from .source.attributes import attribute
from .subjects import Subject, is_service, subject_of

__all__ = ["EndpointPlan", "Plan", "check_name", "in_words", "make_plan"]


@dataclass(frozen=True)
class EndpointPlan:
    """One endpoint.

    Attributes:
        name: Name of the method and of the route.
        parameters: What it takes.
        output: Descriptor of its answer, of one part for a stream; None = the annotation says it all.
        output_annotation: Source of the annotation of its answer.
        body: Source that asks the object: an expression, or lines for models.
        kind: `plain`, `async`, `stream`, `async stream` or `task`.
        cases: The pairs of the proof, the whole sample first.
        imports: Import lines that annotations and body need.
        own_output: True when the annotation of its answer is the user's own, and stays.
    """

    name: str
    parameters: tuple[Parameter, ...]
    output: Descriptor | None
    output_annotation: str
    body: str
    kind: str
    cases: tuple[Case, ...] = field(repr=False)
    imports: tuple[str, ...] = ()
    own_output: bool = False

    @property
    def input(self) -> Descriptor | None:
        """Descriptor of the first parameter."""
        return self.parameters[0].descriptor if self.parameters else None

    @property
    def expected(self) -> Any:
        """The object's answer to the whole sample."""
        return self.cases[0].expected if self.cases else None


class Objects:
    """The objects of a plan as they were saved, in a folder that goes with the plan."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="bento-objects-"))
        self.saved: dict[str, Saved] = {}
        self._end = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)

    def close(self) -> None:
        """Remove the folder."""
        self._end()

    @property
    def digest(self) -> str:
        """SHA-256 over all, hexadecimal."""
        digest = hashlib.sha256()
        for name in sorted(self.saved):
            digest.update(f"{name}\0{self.saved[name].digest}\0".encode())
        return digest.hexdigest()

    @property
    def size(self) -> int:
        """Bytes in all."""
        return sum(saved.size for saved in self.saved.values())


@dataclass(frozen=True, repr=False)
class Plan:
    """What objects of the notebook will become.

    Attributes:
        name: Name of the Bento.
        subject: What is served.
        endpoints: What it will answer.
        left_out: Methods that become no endpoints, with the reason.
        code: What was captured of the notebook's code.
        objects: The saved objects.
        requirements: The distributions it needs directly.
        lock: All it needs, `name==version`.
        local: Distributions that are shipped as wheels, with the reason.
        absent: What the metadata of those asks for but the kernel does not have.
        python: Version of Python, e.g. "3.11".
        warnings: What the user should know.
        label: What to call the object in texts.
    """

    name: str
    subject: Subject
    endpoints: list[EndpointPlan]
    left_out: dict[str, str]
    code: CodeCapture = field(repr=False)
    objects: Objects = field(repr=False)
    requirements: list[Requirement]
    lock: list[str]
    local: dict[str, str]
    absent: list[str]
    python: str
    warnings: list[str]
    label: str = ""

    @property
    def object(self) -> tuple[str, int]:
        """What is served, and the size of all that is saved, in bytes."""
        return self.subject.type, self.objects.size

    @property
    def definitions(self) -> list[Definition]:
        """What of the notebook's code goes along."""
        return self.code.definitions

    @property
    def modules(self) -> list[ProjectModule]:
        """The user's own modules that go along as files."""
        return self.code.modules

    @property
    def data(self) -> list[tuple[DataObject | None, str, Saved]]:
        """The saved objects, each with where it comes from and its name."""
        known = {item.name: item for item in self.code.objects}
        return [(known.get(name), name, saved) for name, saved in self.objects.saved.items()]

    def close(self) -> None:
        """Remove the saved objects: the plan can no longer be built."""
        self.objects.close()

    def __repr__(self) -> str:
        from .report import plan_text

        return plan_text(self)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        from .report import plan_bundle

        return plan_bundle(self)


def in_words(descriptor: Descriptor | None) -> str:
    """A descriptor for people, e.g. `float64 array (rows, 4)`.

    Example:
        >>> in_words({"kind": "array", "dtype": "float64", "shape": [-1, 4]})
        'float64 array (rows, 4)'
    """
    from .report import in_words as words

    return words(descriptor)


def make_plan(
    name: str,
    obj: Any,
    *,
    sample: Any = None,
    endpoints: Sequence[str] | None = None,
    label: str = "",
    names: Mapping[str, Any] | None = None,
    allow_different: bool = False,
) -> Plan:
    """Settle what objects become; nothing is written but into a temporary folder, nothing is changed.

    Args:
        name: Name of the Bento: small letters, digits, `-` and `_`.
        obj: What is to be served: a fitted model, a function, an object or class of the notebook, a
            `@bentoml.service` class; or a list of a function and what else is to go along.
        sample: Input like that which will come. For models rows: array or DataFrame. For a function the value
            of its one parameter, a dict of its parameters or a tuple of them; for several endpoints a dict by
            endpoint.
        endpoints: Methods to serve; None = all that suit.
        label: What to call the object in texts; its name in the notebook.
        names: The notebook's names; None = those of the running IPython, or of `__main__`.
        allow_different: Plan endpoints that answer otherwise each time they are asked, too.

    Returns:
        The plan.

    Raises:
        NotServableError: No endpoint can be made of it, or it needs what cannot go along: where, what to do.
        SampleError: The sample does not fit.
        BuildError: The name is not allowed, or something it needs is not to be had.

    Example:
        >>> plan = make_plan("iris", clf, sample=X_test[:5])  # doctest: +SKIP
        >>> [point.name for point in plan.endpoints]          # doctest: +SKIP
        ['predict', 'predict_proba']
    """
    check_name(name)
    namespace = notebook_names() if names is None else names
    found = named_objects(obj, namespace, label)
    served = next(iter(found.values()))
    code = CodeCapture(namespace, module="service") if is_service(served) else CodeCapture(namespace)
    objects = Objects()
    try:
        if is_service(served):
            subject = service_subject(found, code, sample=sample, endpoints=endpoints)
        else:
            subject = subject_of(found, code, sample=sample, endpoints=endpoints)
        save_all(subject, code, objects)
        used = {*code.used_modules, *(name for saved in objects.saved.values() for name in saved.modules)}
        notes = library_changes(code.executed, namespace, used)
        points, left_out = plan_endpoints(subject, code, sample, allow_different=allow_different)
    except BaseException:
        objects.close()
        raise
    needs = requirements_of(code, objects.saved.values(), points)
    lock = closure(item.name for item in needs.direct)
    local = needs.local(lock)
    return Plan(
        name=name,
        subject=subject,
        endpoints=points,
        left_out=left_out,
        code=code,
        objects=objects,
        requirements=needs.direct,
        lock=lock.pins,
        local=local,
        absent=lock.absent,
        python=".".join(platform.python_version_tuple()[:2]),
        warnings=[*code.warnings, *notes, *local_warnings(local)],
        label=label or next(iter(found)),
    )


def save_all(subject: Subject, code: CodeCapture, objects: Objects) -> None:
    """Save the model and all objects that the code uses; what they refer to may bring more of both."""
    referred: dict[str, tuple[Any, set[str]]] = {}

    def save(framework: Framework, value: Any, name: str) -> None:
        names: set[str] = set()

        def refer(obj: Any, why: str) -> Home:
            home = code.refer(obj, why)
            names.add(home.name.partition(".")[0])
            return home

        objects.saved[name] = framework.save(value, objects.folder, name, refer)
        referred[name] = (value, names)

    if subject.model is not None:
        model, framework = subject.model
        save(framework, model, subject.model_name)
    while pending := [item for item in code.objects if item.name not in objects.saved]:
        for item in pending:
            save(framework_of(item.value), item.value, item.name)
    for name, (value, names) in referred.items():
        for part in sorted(names):
            if any(item.value is value for item in code.needed_by(part)):
                raise NotServableError(
                    f"{name} holds a function that holds {name} again: {code.described(part)}",
                    hint=f"make it a method of {type(value).__name__}: a method gets its object when called",
                )


def notebook_names() -> Mapping[str, Any]:
    """The names of the notebook: of the running IPython, else of `__main__`."""
    import sys

    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is not None:
        names: Mapping[str, Any] = shell.user_ns
        return names
    return vars(sys.modules["__main__"])


def named_objects(obj: Any, names: Mapping[str, Any], label: str) -> dict[str, Any]:
    """The objects by the names that the notebook has for them.

    Raises:
        NotServableError: There are none, or one of several has no name.
    """
    if not isinstance(obj, (list, tuple)):
        return {label if label.isidentifier() else name_of(obj, names) or "model": obj}
    if not obj:
        raise NotServableError("no object was given", hint='bj.build("iris", clf, sample=X_test[:5])')
    if len(obj) == 1:
        return named_objects(obj[0], names, label)
    found: dict[str, Any] = {}
    for number, item in enumerate(obj):
        known = name_of(item, names)
        if known is None:
            raise NotServableError(
                f"object {number + 1} of {len(obj)}, a {type(item).__name__}, has no name in the notebook",
                hint="bind it to a name first: the name is how the others find it",
            )
        found[known] = item
    return found


def name_of(obj: Any, names: Mapping[str, Any]) -> str | None:
    """The name that the notebook has for an object; its own name is preferred."""
    own = str(attribute(obj, "__name__", ""))
    if own and names.get(own) is obj:
        return own
    known = [str(key) for key, value in names.items() if value is obj and key.isidentifier()]
    public = [key for key in known if not key.startswith("_")]
    return public[-1] if public else own if own.isidentifier() else None


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
    better = re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-_")[:63]
    raise BuildError(
        f"{name!r} is no name for a Bento: small letters, digits, '-' and '_', at most 63",
        hint=f"e.g. {better}" if better else "e.g. iris",
    )
