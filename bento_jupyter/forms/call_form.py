"""The form that calls: a playground made of an endpoint's schema, with the answer shown in kind."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Mapping
from html import escape
from typing import Any

import ipywidgets

from .. import codec, workspace
from ..errors import CallError, MagicUsageError
from ..views import DeploymentView
from . import fields
from .form import Form, code_html
from .namespace import Named, data, evaluated

__all__ = ["CallForm", "Data", "input_field"]

#: Seconds between two looks of the page at a stream that goes on.
REDRAW = 0.1


class Data(fields.Field):
    """Data of any shape: an expression of the notebook, or what is typed or pasted.

    Args:
        label: Label.
        namespace: The notebook's names.
        offered: Those of them that are data.
        is_table: Rows with tabs or commas are a table, as spreadsheets copy it.
    """

    def __init__(
        self,
        label: str,
        namespace: dict[str, Any],
        offered: list[Named],
        *,
        tip: str = "",
        is_table: bool = False,
    ) -> None:
        self._label, self._namespace, self._is_table = label, namespace, is_table
        self.expression = ipywidgets.Combobox(
            description=label,
            options=[each.name for each in offered],
            placeholder="from the notebook, e.g. X_test[:5]",
            tooltip=tip or None,
            style=fields.LABEL,
            layout=fields.WIDE,
        )
        self.text = ipywidgets.Textarea(
            description="or as text",
            placeholder="JSON, or rows pasted from a spreadsheet" if is_table else "JSON",
            rows=3,
            style=fields.LABEL,
            layout=fields.WIDE,
        )
        super().__init__(ipywidgets.VBox([self.expression, self.text], layout={"width": "100%"}))
        self._observe(self.expression)
        self._observe(self.text)

    @property
    def words(self) -> str:
        """The value as Python would write it; "" when there is none."""
        if self.expression.value.strip():
            return str(self.expression.value.strip())
        try:
            return repr(json.loads(self.text.value)) if self.text.value.strip() else ""
        except ValueError:
            return "..."

    def _get(self) -> Any:
        if self.expression.value.strip():
            return evaluated(self.expression.value, self._namespace, self._label)
        text = self.text.value.strip()
        if not text:
            return None
        try:
            return json.loads(text)
        except ValueError as error:
            if self._is_table:
                return _table(text, self._label)
            raise MagicUsageError(f"{self._label}: this is no JSON: {error}") from error

    def _put(self, value: Any) -> None:
        self.text.value = value if isinstance(value, str) and self._is_table else json.dumps(value)


def _table(text: str, label: str) -> Any:
    try:
        import pandas
    except ImportError as error:
        raise MagicUsageError(f"{label}: rows of a table need pandas", hint="write JSON") from error
    return pandas.read_csv(io.StringIO(text), sep="\t" if "\t" in text else ",")


def input_field(
    name: str, schema: Mapping[str, Any], namespace: dict[str, Any], offered: list[Named]
) -> fields.Field:
    """The field for an input of an endpoint, after its schema."""
    descriptor = codec.descriptor_from_schema(dict(schema))
    optional = descriptor["kind"] == "optional"
    kind = descriptor["of"]["kind"] if optional else descriptor["kind"]
    values = (descriptor["of"] if optional else descriptor).get("values")
    tip = str(schema.get("description") or "")
    if schema.get("type") == "file" or kind in ("file", "image"):
        return fields.File(name, tip=tip, accept="image/*" if kind == "image" else "")
    if (schema.get("items") or {}).get("type") == "file":
        return fields.File(name, tip=tip, several=True)
    if kind == "choices" and values:
        return fields.Choice(name, [(str(each), each) for each in values], tip=tip)
    if kind == "bool" and not optional:
        return fields.Flag(name, tip=tip)
    if kind in ("int", "float"):
        return fields.Json(name, tip=tip, placeholder="a whole number" if kind == "int" else "a number")
    if kind == "str":
        return fields.Text(name, tip=tip, lines=2, empty=None if optional else "")
    return Data(name, namespace, offered, tip=tip, is_table=kind in ("array", "frame", "records", "series"))


class CallForm(Form):
    """A playground for the endpoints of a deployment.

    Args:
        namespace: The notebook's names.
        name: Deployment to begin with; "" = the newest.

    Attributes:
        answer: What was answered last.
    """

    def __init__(self, namespace: dict[str, Any], name: str = "") -> None:
        super().__init__("Call", "call")
        self.namespace = namespace
        self.answer: Any = None
        self.cloud = workspace.current()
        self._inputs: dict[str, fields.Field] = {}
        self._views: dict[str, DeploymentView] = {view.name: view for view in self.cloud.deployments()}
        names = [(f"{view.name}: {view.status.value}", view.name) for view in self._views.values()]
        self.deployment = fields.Choice("Deployment", names or [("none yet: %bento_form deploy", "")], few=0)
        self.endpoint = fields.Choice("Endpoint", [("", "")], few=0)
        self.inputs = ipywidgets.VBox(layout={"width": "100%"})
        self.submit = self.button("Call", self._call, button_style="primary", tooltip="Send the request")
        self.variable = fields.Text("Store as", placeholder="name of a variable")
        self.store = self.button("Store", self._store, tooltip="Put the answer into the notebook")
        self.store.disabled = True
        self.timing = ipywidgets.HTML(layout={"width": "100%"})
        self.output = ipywidgets.Output(layout={"width": "100%", "max_height": "30em", "overflow": "auto"})
        self.code = ipywidgets.HTML(layout={"width": "100%"})
        self.widget.children = (
            self.deployment.box,
            self.endpoint.box,
            self.inputs,
            ipywidgets.HBox([self.submit, self.cancel]),
            self.message,
            self.timing,
            self.result,
            self.output,
            ipywidgets.HBox([self.variable.box, self.store], layout={"max_width": "44em"}),
            self.code,
        )
        self.deployment.watch(lambda: self.later(self._chosen, "chosen"))
        self.endpoint.watch(lambda: self.later(self._asked, "asked"))
        self.variable.watch(lambda: self.guarded(self.refresh))
        if name:
            self.deployment.value = name
        self.guarded(self._chosen)

    # --- what is shown -----------------------------------------------------------------------

    def _chosen(self) -> None:
        self._inputs, self.inputs.children = {}, ()
        names = [] if not self.deployment.value else self._deployment().endpoints.names
        self.endpoint.offer([(each, each) for each in names] or [("", "")])

    def _deployment(self) -> Any:
        return workspace.deployment(self.deployment.value, cloud=self.cloud)

    def _asked(self) -> None:
        if not self.endpoint.value:
            self.refresh()
            return
        route = self._deployment().endpoints.route(self.endpoint.value)
        schema = route.get("input", {})
        properties = {"input": schema} if schema.get("root_input") else schema.get("properties", {})
        offered = data(self.namespace)
        example = self._example()
        with self._lock:
            self._inputs = {
                name: input_field(name, each, self.namespace, offered) for name, each in properties.items()
            }
            for name, field in self._inputs.items():
                if isinstance(example, dict) and name in example and not isinstance(field, fields.File):
                    field.value = example[name]
                field.watch(lambda: self.guarded(self.refresh))
            self.inputs.children = tuple(field.box for field in self._inputs.values())
            self.refresh()

    def _example(self) -> Any:
        view = self._views.get(self.deployment.value)
        text = (
            next((each.example for each in view.endpoints if each.name == self.endpoint.value), "")
            if view
            else ""
        )
        return json.loads(text) if text else None

    @property
    def words(self) -> str:
        """The inputs as Python would write them."""
        parts = []
        for name, field in self._inputs.items():
            if isinstance(field, Data):
                parts += [f"{name}={field.words}"] if field.words else []
            elif isinstance(field, fields.File):
                parts.append(f"{name}=...")
            elif field.value is not None:
                parts.append(f"{name}={field.value!r}")
        return ", ".join(parts)

    @property
    def line(self) -> str:
        """The magic line that does the same; "" where its input is no single expression."""
        only = next(iter(self._inputs.values())) if len(self._inputs) == 1 else None
        words = only.words if isinstance(only, Data) else repr(only.value) if only is not None else ""
        if not words or isinstance(only, fields.File):
            return ""
        return f"%bento_call {self.deployment.value} {self.endpoint.value} {words}"

    def rows(self) -> list[tuple[str, str]]:
        """What a saved notebook says of it."""
        return [("as a line", self.line), ("in Python", self._python())]

    def _python(self) -> str:
        if not self.endpoint.value:
            return ""
        inputs = f", {self.words}" if self.words else ""
        return f"bj.deployment({self.deployment.value!r}).call({self.endpoint.value!r}{inputs})"

    def refresh(self) -> None:
        """Show what follows from the values."""
        with self._lock:
            self.submit.disabled = self.busy or not self.endpoint.value
            self.store.disabled = self.busy or self.answer is None or not self.variable.value.isidentifier()
            self.code.value = code_html([("The same as a line", self.line), ("in Python", self._python())])

    # --- doing -------------------------------------------------------------------------------

    def _call(self) -> None:
        values = {}
        for name, field in self._inputs.items():
            field.problem = ""
            try:
                value = field.value
            except MagicUsageError as error:
                field.problem = error.message
                raise
            if value is not None:
                values[name] = value
        dep = self._deployment()
        endpoint = self.endpoint.value
        route = dep.endpoints.route(endpoint)
        self.output.outputs, self.result.value = (), ""
        held = "; an instance starts first" if dep.status().ready == 0 else ""
        self.timing.value = fields.note(f"called{held} …")
        try:
            if route.get("output", {}).get("is_stream"):
                self._streamed(dep, endpoint, values)
            else:
                args = list(values.values()) if route.get("input", {}).get("root_input") else []
                self.answer = dep.call(endpoint, *args, **({} if args else values))
                self.output.append_display_data(in_kind(self.answer))
                self.timing.value = fields.note(_timing_words(dep))
        except CallError as error:
            self.timing.value = ""
            for name, field in self._inputs.items():
                if f"'{name}'" in error.message or f" {name}:" in error.message:
                    field.problem = error.message
            raise

    def _streamed(self, dep: Any, endpoint: str, values: dict[str, Any]) -> None:
        parts: list[Any] = []
        begun = shown = time.monotonic()
        for part in dep.endpoints.stream(endpoint, **values):
            parts.append(part)
            if self.worker.closed.is_set():
                return
            if time.monotonic() - shown >= REDRAW:
                shown = time.monotonic()
                self.result.value = _stream_html(parts)
        self.result.value = _stream_html(parts)
        texts = all(isinstance(part, str) for part in parts)
        self.answer = "".join(parts) if texts else parts
        self.timing.value = fields.note(f"{len(parts)} parts in {time.monotonic() - begun:.2f} s")

    def _store(self) -> None:
        self.namespace[self.variable.value] = self.answer
        self.tell(f"the answer is in {self.variable.value}", wrong=False)


def in_kind(value: Any) -> Any:
    """An answer as it is shown: sounds can be played, pictures seen, all else is as in a cell."""
    from IPython.display import Audio, Image

    if isinstance(value, (bytes, bytearray)):
        content = bytes(value)
        if content.startswith((b"\x89PNG", b"\xff\xd8\xff", b"GIF8")):
            return Image(content)
        if content.startswith((b"RIFF", b"ID3", b"OggS", b"fLaC")):
            return Audio(content)
    return value


def _timing_words(dep: Any) -> str:
    """Where the time of the last call went."""
    timing = dep.last_timing
    if not timing.cold_start:
        return str(timing)
    from ..display.words import cold_start_words

    return f"{timing}; the start took {cold_start_words(dep.status().last_cold_start)}"


def _stream_html(parts: list[Any]) -> str:
    text = "".join(part if isinstance(part, str) else f"{part!r}\n" for part in parts)
    style = "white-space:pre-wrap;max-height:20em;overflow:auto;font-size:13px"
    return f'<pre role="log" tabindex="0" style="{style}">{escape(text)}</pre>'
