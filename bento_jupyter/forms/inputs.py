"""Fields for the inputs of an endpoint, after its schema."""

from __future__ import annotations

import base64
import io
import json
import math
from collections.abc import Mapping
from html import escape
from typing import Any

import ipywidgets

from .. import codec
from ..client.methods import schema_descriptor
from ..client.payload import words
from ..errors import MagicUsageError
from . import fields
from .namespace import Named, data, evaluated
from .pasting import TABLES, pasted
from .secret import UploadedItem

__all__ = ["LONGEST", "Data", "Input", "Upload", "input_field", "written"]

#: Characters of code that a form shows; what is longer helps nobody, and would be in the notebook.
LONGEST = 20_000
#: Bytes of a picture that is shown as it is; larger ones are made small first.
SMALL = 128 * 1024
#: Pixels of the longer side of a picture that was made small.
PREVIEW = 192


class Input(fields.Json):
    """A plain value: what is typed is JSON, or else a text."""

    def __init__(self, label: str, descriptor: codec.Descriptor, **options: Any) -> None:
        self._descriptor = descriptor
        super().__init__(label, placeholder=words(descriptor), **options)

    def own_problem(self) -> str:
        """What the endpoint would find wrong with it."""
        value = self.value
        return "" if value is None else _misfit(value, self._descriptor)


class Data(fields.Field):
    """Data of any shape: an expression of the notebook, or JSON, or rows pasted from a spreadsheet.

    Args:
        label: Label.
        descriptor: What the endpoint takes.
        namespace: The notebook's names.
        tip: Shown when the pointer rests on it.
    """

    def __init__(
        self, label: str, descriptor: codec.Descriptor, namespace: dict[str, Any], *, tip: str = ""
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
        super().__init__(column, help_text=f"takes {words(descriptor)}")
        self._observe(self.expression)
        self._observe(self.text)
        self.offer(data(namespace))

    def offer(self, named: list[Named]) -> None:
        """Offer names of the notebook."""
        self.expression.options = [each.name for each in named]

    @property
    def words(self) -> str:
        """The value as Python would write it; "" when there is none."""
        if typed := str(self.expression.value.strip()):
            return typed
        if not self.text.value.strip():
            return ""
        try:
            found = written(self._read())
        except (MagicUsageError, RecursionError):
            return "..."
        return f"pd.Series({found})" if self._descriptor["kind"] == "series" else found

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
        try:
            return fields.read_json(text)
        except ValueError as error:
            if not self._is_table:
                raise MagicUsageError(f"this is no JSON: {error}") from error
            if text.lstrip().startswith(("[", "{")):
                raise MagicUsageError(f"this is neither JSON ({error}) nor rows of cells") from error
            try:
                return pasted(text, self._descriptor)
            except ValueError as wrong:
                raise MagicUsageError(str(wrong)) from wrong

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


class Upload(fields.File):
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
        except (ImportError, OSError):
            return ""
        kind, content = "image/jpeg", small.getvalue()
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def written(value: Any) -> str:
    """A value of JSON as Python writes it, also where a number is none: `nan` alone would be a name.

    Example:
        >>> written({"a": [float("nan"), 1.5]})
        "{'a': [float('nan'), 1.5]}"
    """
    if isinstance(value, float) and not math.isfinite(value):
        return f"float('{value}')"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name!r}: {written(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    return repr(value)


def _misfit(value: Any, descriptor: codec.Descriptor) -> str:
    try:
        codec.encode(value, descriptor)
    except codec.CodecError as error:
        return str(error)
    return ""


def input_field(name: str, schema: Mapping[str, Any], namespace: dict[str, Any]) -> fields.Field:
    """The field for an input of an endpoint.

    Args:
        name: Of the input.
        schema: Of the input.
        namespace: The notebook's names.
    """
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
    if isinstance(values, list) and values:
        none = [("none", None)] if optional else []
        return fields.Choice(name, [*none, *((str(each), each) for each in values)], tip=tip)
    if kind == "bool":
        choices = [("none", None), ("true", True), ("false", False)]
        return fields.Choice(name, choices, tip=tip) if optional else fields.Flag(name, tip=tip)
    if kind in ("int", "float"):
        return Input(name, whole, tip=tip)
    if kind == "str":
        form = str(schema.get("format") or "")  # like date-time, of which an empty text is none
        empty = None if optional or form else ""
        return fields.Text(name, tip=tip, lines=2, empty=empty, placeholder=form)
    return Data(name, whole, namespace, tip=tip)


def _accepted(schema: Mapping[str, Any]) -> str:
    """What files a browser offers first."""
    return "image/*" if schema.get("format") == "image" else str(schema.get("content_type") or "")
