"""What a plan is made of: the parts that capture finds and that the project is written from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = [
    "NOTEBOOK_MODULE",
    "Case",
    "DataObject",
    "Definition",
    "Home",
    "Loader",
    "Method",
    "Parameter",
    "Place",
    "ProjectModule",
    "Refer",
    "Saved",
]

#: Module of the project that holds what was captured of the notebook; pickles refer to it.
NOTEBOOK_MODULE = "notebook_code"


@dataclass(frozen=True)
class Place:
    """Where in the user's work something is.

    Attributes:
        source: What a person calls it: `cell [3]`, `helpers.py`, `script.py (%run)`.
        line: Line in it, from 1; 0 = not known.
    """

    source: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.source}, line {self.line}" if self.line else self.source


@dataclass(frozen=True)
class Definition:
    """A statement of `notebook_code.py`: a function, a class, a constant or another assignment.

    Attributes:
        name: Name it binds there.
        kind: `function`, `class`, `constant` or `assignment`.
        text: Its source, with the comments it has in the notebook.
        place: Where it was executed.
        why: What needs it, for people: "the endpoint", "predict uses it".
    """

    name: str
    kind: str
    text: str
    place: Place | None
    why: str


@dataclass(frozen=True)
class DataObject:
    """A value that goes along as a file: a fitted model, an array, a frame, a tokenizer.

    Attributes:
        name: Name it has in the notebook and in the project; a valid identifier.
        value: The live object; only read.
        why: What needs it, for people.
        place: Where it is used first.
        eager: True when it is needed while the code is imported (a default, a class attribute, a decorator);
            otherwise it is loaded when the service starts.
    """

    name: str
    value: Any = field(repr=False)
    why: str
    place: Place | None = None
    eager: bool = False


@dataclass(frozen=True)
class ProjectModule:
    """A module or package of the user's own project, which goes along as files.

    Attributes:
        name: Top-level name it is imported by.
        files: Path inside the Bento's source folder -> file on disk.
        why: What imports it, for people.
    """

    name: str
    files: Mapping[str, Path]
    why: str


@dataclass(frozen=True)
class Home:
    """Where the code of a class or function will live when it is served.

    Attributes:
        module: `notebook_code`, a module of the user's project, or an installed library's.
        name: Qualified name in there.
        library: True when an installed distribution or the standard library brings it.
    """

    module: str
    name: str
    library: bool = False


#: Asks where the code of a class or function of an object graph will live; captures it when need be.
#: Arguments: the class or function; why (for people). Raises `NotServableError` when it can live nowhere.
Refer = Callable[[Any, str], Home]


@dataclass(frozen=True)
class Loader:
    """How the project reads a saved object back.

    Attributes:
        imports: Import lines that the expression needs, as written.
        expression: Source of an expression of the variable `folder` (a `pathlib.Path`), e.g.
            `joblib.load(folder / "clf.joblib")`.
        environment: Environment variables that reading it back needs, e.g. Keras's backend.
    """

    imports: tuple[str, ...]
    expression: str
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Saved:
    """An object as it was saved into a folder.

    Attributes:
        framework: Name of the framework that saved it.
        kind: Full name of the object's class.
        files: Files in the folder, relative.
        size: Bytes in all.
        digest: SHA-256 of their names and content, hexadecimal; the same for the same object.
        modules: Modules that reading it back needs, each with names it takes from there: the evidence for
            requirements. Modules of the project (`notebook_code`) are not among them.
        loader: How it is read back.
    """

    framework: str
    kind: str
    files: tuple[str, ...]
    size: int
    digest: str
    modules: Mapping[str, frozenset[str]]
    loader: Loader


@dataclass(frozen=True)
class Method:
    """Something that an object can be asked: what becomes an endpoint.

    Attributes:
        name: Name of the endpoint, e.g. `predict`.
        parameters: Names of its parameters, in order, e.g. `("X",)`.
        body: Source lines of the function body, of the variable `model` and the parameters, e.g.
            `return model.predict(X)`. The notebook's expected answer is computed by the very same lines.
        imports: Import lines that the body needs.
    """

    name: str
    parameters: tuple[str, ...]
    body: str
    imports: tuple[str, ...] = ()


@dataclass(frozen=True)
class Parameter:
    """One parameter of an endpoint.

    Attributes:
        name: Its name, the key in a JSON body.
        descriptor: What it is (`bento_jupyter.codec`); None = the annotation says it all (pydantic, files).
        annotation: Source of its annotation; "" = none.
        default: Source of its default; None = required.
        own: True when the annotation is the user's own, and stays.
    """

    name: str
    descriptor: dict[str, Any] | None
    annotation: str = ""
    default: str | None = None
    own: bool = False


@dataclass(frozen=True)
class Case:
    """One pair of the proof: what is sent, and what the notebook answered.

    Attributes:
        endpoint: Name of the endpoint.
        title: For people, e.g. "5 rows", "one row", "a sample that is refused".
        inputs: Live inputs by parameter.
        expected: The live answer; a list of the parts for a stream. Means nothing when `refused` is set.
        refused: What the notebook's object raised; "" = it answered. The served one has to refuse, too.
    """

    endpoint: str
    title: str
    inputs: Mapping[str, Any] = field(repr=False)
    expected: Any = field(default=None, repr=False)
    refused: str = ""
