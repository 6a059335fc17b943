"""Fields for the inputs of an endpoint, after its schema."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping
from html import escape
from typing import Any

import ipywidgets

from .. import codec
from ..client.methods import schema_descriptor
from ..client.payload import words
from ..errors import MagicUsageError
from . import fields
from .choices import Choice
from .code import expression, is_written, written
from .given import File, Secret
from .namespace import Named, data, evaluated
from .pasting import TABLES, pasted
from .rules import rule_of
from .secret import UploadedItem

__all__ = ["LONGEST", "Data", "Input", "OrNone", "Pick", "Upload", "input_field"]

#: Characters of code that a form shows; what is longer helps nobody, and would be in the notebook.
LONGEST = 20_000
#: Bytes of a picture that is shown as it is; larger ones are made small first.
SMALL = 128 * 1024
#: Pixels of the longer side of a picture that was made small.
PREVIEW = 192
#: The value of a choice that leaves an input at its default.
DEFAULT = object()


class Input(fields.Json):
    """A plain value: what is typed is JSON, or else a text.

    Args:
        label: Label.
        descriptor: What the endpoint takes.
        nullable: It may take None, too.
        options: Of `Json`.
    """

    def __init__(
        self, label: str, descriptor: codec.Descriptor, *, nullable: bool = False, **options: Any
    ) -> None:
        self._descriptor, self._nullable = descriptor, nullable
        super().__init__(label, placeholder=words(descriptor), **options)

    def own_problem(self) -> str:
        """What the endpoint would find wrong with it."""
        value = self.value
        if not self.entered or (value is None and self._nullable):
            return ""
        return super().own_problem() or _misfit(value, self._descriptor)

    @property
    def entered(self) -> bool:
        """Something was typed, if only `null`."""
        return bool(self.widget.value.strip())


class Pick(Choice):
    """One of several values, or the default of the endpoint, which is not sent."""

    @property
    def entered(self) -> bool:
        """It is one of the values."""
        return super()._get() is not DEFAULT

    def _get(self) -> Any:
        found = super()._get()
        return None if found is DEFAULT else found

    def _put(self, value: Any) -> None:
        super()._put(DEFAULT if value is None and None not in self._values else value)


class OrNone(fields.Field):
    """A text, or None instead of it, where an empty one means neither.

    Args:
        text: The field of the text.
    """

    def __init__(self, text: fields.Text) -> None:
        self.text = text
        self.flag = fields.Flag("None", tip="send None instead of a text")
        super().__init__(ipywidgets.VBox([text.box, self.flag.box], layout={"width": "100%"}))
        self.widgets = ()
        for field in (text, self.flag):
            field.watch(self._changed)

    def _changed(self, _: Any = None) -> None:
        self.text.disabled = self.flag.value
        super()._changed()

    @property
    def entered(self) -> bool:
        """There is a text, or it is None."""
        return bool(self.flag.value or self.text.entered)

    def _get(self) -> Any:
        return None if self.flag.value else self.text.value

    def _put(self, value: Any) -> None:
        self.flag.value = value is None
        self.text.value = value

    def inner(self) -> list[fields.Field]:
        """The fields within it."""
        return [self.text, self.flag]


class Data(fields.Field):
    """Data of any shape: an expression of the notebook, or JSON, or rows pasted from a spreadsheet.

    Args:
        label: Label.
        descriptor: What the endpoint takes.
        namespace: The notebook's names.
        tip: Shown when the pointer rests on it.
        is_secret: Something in it is, so it cannot be typed: what is typed is in the state of a widget.
    """

    def __init__(
        self,
        label: str,
        descriptor: codec.Descriptor,
        namespace: dict[str, Any],
        *,
        tip: str = "",
        is_secret: bool = False,
    ) -> None:
        self._label, self._descriptor, self._namespace = label, descriptor, namespace
        self._is_table = descriptor["kind"] in TABLES
        self._seen: tuple[str, Any] | None = None
        self.expression = ipywidgets.Combobox(
            description=label,
            placeholder="from the notebook, e.g. X_test[:5]",
            tooltip=tip or f"{label}: {words(descriptor)}",
            style=fields.LABEL,
            layout=fields.WIDE,
            continuous_update=False,  # code made of it evaluates it, so never while it is half typed
        )
        self.text = ipywidgets.Textarea(
            description="or as text",
            placeholder="JSON, or rows pasted from a spreadsheet" if self._is_table else "JSON",
            tooltip=f"{label} as text",
            rows=4,
            style=fields.LABEL,
            layout=fields.WIDE,
        )
        column = ipywidgets.VBox([self.expression, self.text], layout={"flex": "1 1 20em", "min_width": "0"})
        help_text = f"takes {words(descriptor)}"
        self.is_secret = is_secret
        if is_secret:
            self.text.layout.display = "none"
            help_text += "; there is a secret in it: take one from the notebook, as in os.environ['KEY']"
        super().__init__(column, help_text=help_text)
        self._observe(self.expression)
        self._observe(self.text)
        self.offer(data(namespace))

    def offer(self, named: list[Named]) -> None:
        """Offer names of the notebook."""
        self.expression.options = [each.name for each in named]

    @property
    def entered(self) -> bool:
        """There is an expression or a text; it is not looked at."""
        return bool(self.expression.value.strip() or self.text.value.strip())

    @property
    def words(self) -> str:
        """The value as Python would write it; "" when there is none."""
        if self.expression.value.strip():
            return expression(self.expression.value)
        if not self.text.value.strip():
            return ""
        try:
            found = self._decoded()
            # Endpoints take the JSON of tables, too, but bytes are no text to them.
            return written(found if is_written(found) else self._read())
        except (MagicUsageError, RecursionError):
            return "..."

    @property
    def is_long(self) -> bool:
        """What was pasted is more than code can say."""
        return len(self.text.value) > LONGEST and not self.expression.value.strip()

    def _read(self) -> Any:
        """The JSON that the text stands for, read once."""
        text = self.text.value
        if self._seen is None or self._seen[0] != text:
            self._seen = (text, self._parsed(text))
        return self._seen[1]

    def _parsed(self, text: str) -> Any:
        brackets = text.lstrip().startswith(("[", "{"))
        try:
            if self._is_table and not brackets:
                return pasted(text, self._descriptor)
            return fields.read_json(text)
        except ValueError as error:
            said = f"this is no JSON: {error}"
            if self._is_table:
                said = f"this is neither JSON ({error}) nor rows of cells" if brackets else str(error)
            raise MagicUsageError(said) from error

    def _decoded(self) -> Any:
        try:
            return codec.decode(self._read(), self._descriptor)
        except ValueError as error:  # CodecError, too
            raise MagicUsageError(str(error)) from error
        except RecursionError as error:
            raise MagicUsageError("it is nested too deeply") from error

    def own_problem(self) -> str:
        """What is wrong with the text; an expression is not looked at before the call."""
        if self.expression.value.strip() or not self.text.value.strip():
            return ""
        try:
            self._decoded()
        except MagicUsageError as error:
            return error.message
        return ""

    def _get(self) -> Any:
        if self.expression.value.strip():
            return evaluated(self.expression.value, self._namespace, self._label)
        return self._decoded() if self.text.value.strip() else None

    def _put(self, value: Any) -> None:
        self.text.value = json.dumps(value, ensure_ascii=False)


class Upload(File):
    """A file, or several; pictures are shown beside their names, small, for the notebook may keep that."""

    def _changed(self, _: Any = None) -> None:
        super()._changed()
        self.shown.value += "".join(
            f'<img alt="{escape(file.name)}" src="{source}" '
            f'style="max-width:{PREVIEW}px;max-height:{PREVIEW}px;margin:4px">'
            for file in self.widget.files
            if (source := _preview(file))
        )

    @property
    def words(self) -> str:
        """Paths of such files, as Python would write them."""
        names = [file.name for file in self.widget.files]
        return repr(names if self._several else names[0]) if names else ""

    def _get(self) -> Any:
        found = [_file(each) for each in self.widget.files]
        if self._several:
            return found or None
        return found[0] if found else None


def _file(item: UploadedItem) -> codec.FileContent:
    content = codec.FileContent(item.content)
    content.name = item.name
    return content


def _preview(file: UploadedItem) -> str:
    """A data URL of a small version of a picture; "" of what is none, or cannot be made small."""
    kind, content = file.media_type, file.content
    if content.startswith(b"\x89PNG"):
        kind = "image/png"
    if not kind.startswith("image/"):
        return ""
    if len(content) > SMALL:
        try:
            from PIL import Image

            with Image.open(io.BytesIO(content)) as image:
                image.thumbnail((2 * PREVIEW, 2 * PREVIEW))
                small = io.BytesIO()
                image.convert("RGB").save(small, "JPEG")
        except Exception:  # it is too large, cut short or none at all: it is sent all the same
            return ""
        kind, content = "image/jpeg", small.getvalue()
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _misfit(value: Any, descriptor: codec.Descriptor) -> str:
    try:
        codec.encode(value, descriptor)
    except codec.CodecError as error:
        return str(error)
    return ""


def input_field(
    name: str, schema: Mapping[str, Any], namespace: dict[str, Any], *, needed: bool = False
) -> fields.Field:
    """The field for an input of an endpoint.

    Args:
        name: Of the input.
        schema: Of the input.
        namespace: The notebook's names.
        needed: The endpoint has no default for it.
    """
    field = _field_of(name, schema, namespace, needed=needed)
    field.needed = needed
    if not isinstance(field, Data):
        field.rule = rule_of(schema)
    return field


def _field_of(
    name: str, schema: Mapping[str, Any], namespace: dict[str, Any], *, needed: bool
) -> fields.Field:
    whole = schema_descriptor(schema)
    descriptor = whole["of"] if whole["kind"] == "optional" else whole
    # BentoML's schema says `int | None = None` as an integer whose default is null.
    optional = whole["kind"] == "optional" or schema.get("default", ...) is None
    kind = descriptor["kind"]
    tip = str(schema.get("description") or "")
    items = schema.get("items") or {}
    if schema.get("type") == "file" or kind in ("file", "image"):
        return Upload(name, tip=tip, accept="image/*" if kind == "image" else _accepted(schema))
    if items.get("type") == "file":
        return Upload(name, tip=tip, several=True, accept=_accepted(items))
    values = descriptor.get("values") if kind == "choices" else schema.get("enum")
    # Where None is the default there is no need to send it.
    is_default = not needed and schema.get("default") is None
    none: list[tuple[str, Any]] = [("none", DEFAULT if is_default else None)] if optional else []
    if none and not needed and not is_default:
        none.insert(0, ("default", DEFAULT))
    if isinstance(values, list) and values:
        return Pick(name, [*none, *((str(each), each) for each in values if each is not None)], tip=tip)
    if kind == "bool":
        choices = [*none, ("true", True), ("false", False)]
        return Pick(name, choices, tip=tip) if optional else fields.Flag(name, tip=tip)
    if schema.get("format") == "password" or schema.get("writeOnly"):
        return Secret(name, tip=tip, empty=None)
    if kind in ("int", "float"):
        # BentoML's schema of `int | None = 3` says nothing of None: the endpoint knows.
        return Input(name, whole, nullable="descriptor" not in schema, tip=tip)
    if kind == "str":
        form = str(schema.get("format") or "")  # like date-time, of which an empty text is none
        empty = None if optional or form else ""
        text = fields.Text(name, tip=tip, lines=2, empty=empty, placeholder=form)
        return OrNone(text) if optional and not is_default else text
    return Data(name, whole, namespace, tip=tip, is_secret=_holds_secret(schema))


def _holds_secret(schema: Any) -> bool:
    if isinstance(schema, Mapping):
        is_one = schema.get("format") == "password" or schema.get("writeOnly") is True
        return is_one or any(map(_holds_secret, schema.values()))
    return isinstance(schema, list) and any(map(_holds_secret, schema))


def _accepted(schema: Mapping[str, Any]) -> str:
    """What files a browser offers first."""
    return "image/*" if schema.get("format") == "image" else str(schema.get("content_type") or "")
