"""Forms out of pydantic models: one field per field of the model, in its order, with its words.

The label is the field's title (else its name), the tooltip its description (else what the docstring of the
model says of it), the kind of field follows from its type, and every rule is the model's own: what is wrong
is what pydantic says is wrong, shown beside the field that it is about.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import types
import typing
from collections.abc import Mapping, Sequence
from enum import Enum
from functools import partial
from html import escape
from typing import Any

import ipywidgets
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from . import fields, rows
from .choices import Choice, Options, Several
from .fields import Field
from .given import File, Secret

__all__ = ["Group", "Look", "described", "field_for", "said_by"]


@dataclasses.dataclass(frozen=True)
class Look:
    """What fields look like beyond what their types say, in a model and in those within it.

    Attributes:
        labels: Labels by name of the field, where titles and names do not do.
        options: What there is to choose from, by name: what is shown, and the value.
        secret: Names of fields whose texts are kept out of the state of the widgets.
    """

    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    options: Mapping[str, Options] = dataclasses.field(default_factory=dict)
    secret: Sequence[str] = ()


def described(model: type[BaseModel]) -> dict[str, str]:
    """What a model says about each of its fields: its description, else the docstring's `Attributes`."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        _, _, section = (inspect.getdoc(base) or "" if "__doc__" in vars(base) else "").partition(
            "Attributes:"
        )
        for line in section.split("\n\n")[0].splitlines():
            if entry := re.match(r"    (\w+): (.*)", line):
                name = entry.group(1)
                found[name] = entry.group(2)
            elif line.strip() and found:
                found[name] += f" {line.strip()}"
    given = {name: info.description for name, info in model.model_fields.items() if info.description}
    return {
        name: said.replace("`", "") for name, said in {**found, **given}.items() if name in model.model_fields
    }


def said_by(error: Mapping[str, Any]) -> str:
    """The message of one of pydantic's errors, for people."""
    return str(error["msg"]).removeprefix("Value error, ")


def field_for(
    annotation: Any,
    label: str,
    *,
    tip: str = "",
    look: Look | None = None,
    name: str = "",
    required: bool = True,
) -> Field:
    """The field that a type is entered with.

    Args:
        annotation: The type, as pydantic reads it.
        label: Label.
        tip: Tooltip; what it says behind `None =` is shown in an empty field.
        look: What fields of some names look like.
        name: Its name in the model.
        required: False = the model has a default for it.
    """
    look = look or Look()
    options, secret = look.options.get(name), name in look.secret
    annotation, optional = _bare(annotation)
    default = re.search(r"None = ([^;.]*)", tip)
    placeholder = f"default: {default.group(1).strip()}" if default else ""
    empty = None if optional else ""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    make = partial(field_for, look=look, name=name)
    if optional and (origin in (list, dict) or (_is_model(annotation) and options is None)):
        return Maybe(label, make(annotation, ""), tip=tip)
    if origin in (list, set, frozenset, tuple) and (origin is not tuple or arguments[1:] == (...,)):
        item = arguments[0] if arguments else Any
        if options is not None:
            return Several(label, options, tip=tip)
        if item is bytes:
            return File(label, tip=tip, several=True)
        return rows.Listing(label, lambda: make(item, ""), tip=tip)
    if origin is dict and arguments and _bare(arguments[0])[0] is str:
        return rows.Mapping(label, lambda: make(arguments[1], ""), tip=tip)
    if _is_model(annotation):
        return Group(annotation, title=label, look=look)
    options = _options(annotation) if options is None else options
    if options is not None:
        default_option = [(placeholder or "default", None)] if optional else []
        return Choice(label, [*default_option, *options], tip=tip)
    if annotation is bool:
        if not optional:
            return fields.Flag(label, tip=tip)
        return Choice(label, [(placeholder or "default", None), ("yes", True), ("no", False)], tip=tip)
    if annotation in (int, float):
        return fields.Number(label, tip=tip, placeholder=placeholder)
    if annotation is SecretStr or (annotation is str and secret):
        return Secret(label, tip=tip, placeholder=placeholder, empty=empty)
    if annotation is str:
        return fields.Text(label, tip=tip, empty=empty, placeholder=placeholder)
    if annotation is bytes:
        return File(label, tip=tip)
    return fields.Json(label, tip=tip, placeholder=placeholder or ("" if required else "default"))


def _bare(annotation: Any) -> tuple[Any, bool]:
    """A type without what is annotated, and without None; and whether None was part of it."""
    while typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        rest = [each for each in typing.get_args(annotation) if each is not type(None)]
        optional = len(rest) < len(typing.get_args(annotation))
        if len(rest) == 1:
            return _bare(rest[0])[0], optional
        return annotation, optional
    return annotation, annotation is type(None)


def _is_model(annotation: Any) -> bool:
    return inspect.isclass(annotation) and issubclass(annotation, BaseModel)


def _options(annotation: Any) -> Options | None:
    if inspect.isclass(annotation) and issubclass(annotation, Enum):
        return [(getattr(each, "full_name", str(each.value)), each) for each in annotation]
    if typing.get_origin(annotation) is typing.Literal:
        return [(str(each), each) for each in typing.get_args(annotation)]
    return None


class Group(Field):
    """The fields of a model.

    Args:
        model: The model.
        title: Heading; "" = none.
        look: What its fields look like.
        without: Names of fields that are not shown; `given` has their values.

    Attributes:
        fields: The fields by name.
        given: Values of fields that are not shown.

    Example:
        >>> group = Group(DeploymentSpec)                # doctest: +SKIP
        >>> group.value = {"name": "iris", "bento": "iris:v1"}
        >>> group.read()
        DeploymentSpec(name='iris', bento='iris:v1', ...)
    """

    def __init__(
        self,
        model: type[BaseModel],
        *,
        title: str = "",
        look: Look | None = None,
        without: Sequence[str] = (),
    ) -> None:
        look = look or Look()
        self.model = model
        self.given: dict[str, Any] = {}
        said = described(model)
        self.fields: dict[str, Field] = {}
        for name, info in model.model_fields.items():
            if name not in without:
                label = look.labels.get(name) or info.title or name.replace("_", " ").capitalize()
                self.fields[name] = field_for(
                    info.annotation,
                    label,
                    tip=said.get(name, ""),
                    look=look,
                    name=name,
                    required=info.is_required(),
                )
                self._fill(self.fields[name], info)
        self._column = ipywidgets.VBox(
            [field.box for field in self.fields.values()], layout={"width": "100%"}
        )
        super().__init__(self._column)
        self.widgets = ()
        if title:
            heading = ipywidgets.HTML(f"<strong>{escape(title)}</strong>")
            self.box.children = (heading, *self.box.children)
        for field in self.fields.values():
            field.watch(self._changed)

    def scatter(self) -> None:
        """Let the fields be laid out elsewhere; what is about none of them is still said here."""
        self._column.children = ()

    @staticmethod
    def _fill(field: Field, info: FieldInfo) -> None:
        default = info.get_default(call_default_factory=True, validated_data={})
        if not info.is_required() and default is not None:
            field.value = default

    def __getitem__(self, name: str) -> Field:
        return self.fields[name]

    def _get(self) -> dict[str, Any]:
        entered = {}
        for name, field in self.fields.items():
            value = field.value
            if value is None and not self._takes_none(name):
                continue  # nothing was entered: pydantic says that it is needed, or puts the default
            entered[name] = value
        return {**self.given, **entered}

    def _takes_none(self, name: str) -> bool:
        return _bare(self.model.model_fields[name].annotation)[1]

    def _put(self, value: Any) -> None:
        known = (
            {name: getattr(value, name) for name in type(value).model_fields}
            if isinstance(value, BaseModel)
            else value
        )
        for name, each in known.items():
            if name in self.fields:
                self.fields[name].value = each
            else:
                self.given[name] = each
        self._changed()

    def read(self) -> Any:
        """The model that the fields say; None when something is wrong, which then stands beside its field."""
        self.settle()
        model = None
        try:
            model = self.model(**self.value)
        except ValidationError as error:
            for item in error.errors():
                self.blame(item["loc"], said_by(item))
        return model if self.is_sound else None

    def blame(self, place: Sequence[Any], said: str) -> None:
        """Show what is wrong beside the field that it is about."""
        field = self.at(tuple(place)) if place else self.meant(said) or self
        if not field._problem:
            field.problem = said

    def meant(self, said: str) -> Field | None:
        """The field that a message is about: the first that it names; None when it names none.

        A name as it stands counts more than a word like it: "an Online Service" is about no `services`.
        """
        found: dict[tuple[bool, int], Field] = {}
        for name, field in self.fields.items():
            words = name.replace("_", "[_ -]")
            for inexact, pattern in enumerate((words, f"{words.removesuffix('s')}s?")):
                if match := re.search(rf"\b{pattern}\b", said, re.IGNORECASE):
                    found.setdefault((bool(inexact), match.start()), field)
                    break
        return found[min(found)] if found else None

    def at(self, place: Sequence[Any]) -> Field:
        """The field within it that a place means."""
        if place and place[0] in self.fields:
            return self.fields[place[0]].at(tuple(place[1:]))
        return self

    def inner(self) -> Sequence[Field]:
        """The fields within it."""
        return list(self.fields.values())


class Maybe(Field):
    """Something that need not be given: it is there when the box is ticked.

    Args:
        label: Label of the box.
        of: What is there then.
        tip: Tooltip of the box.
    """

    def __init__(self, label: str, of: Field, *, tip: str = "") -> None:
        self.of = of
        self.flag = fields.Flag(label, tip=tip)
        of.box.layout.margin = "0 0 0 2em"
        super().__init__(ipywidgets.VBox([self.flag.box, of.box], layout={"width": "100%"}))
        self.widgets = ()
        self._shown()
        self.flag.watch(self._shown)
        of.watch(self._changed)

    def _shown(self) -> None:
        self.of.box.layout.display = "" if self.flag.value else "none"
        self._changed()

    def _get(self) -> Any:
        return self.of.value if self.flag.value else None

    def _put(self, value: Any) -> None:
        self.flag.value = value is not None
        if value is not None:
            self.of.value = value

    def at(self, place: Sequence[Any]) -> Field:
        """The field within it that a place means."""
        return self.of.at(place)

    def inner(self) -> Sequence[Field]:
        """The fields within it."""
        return [self.flag, self.of] if self.flag.value else [self.flag]
