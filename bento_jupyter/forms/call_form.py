"""The form that calls: a playground made of an endpoint's schema, with the answer shown in kind."""

from __future__ import annotations

import base64
import json
import keyword
import re
from collections.abc import Mapping
from html import escape
from typing import Any

import ipywidgets

from .. import workspace
from ..client.cloud import Cloud
from ..client.deployment import Deployment
from ..client.local import sample_of
from ..client.snippets import KINDS
from ..display.answers import file_bundle, waiting_words
from ..errors import CallError, MagicUsageError
from ..quoting import quoted
from ..views import DeploymentView
from . import fields
from .asking import Asking
from .choices import Choice
from .code import code_html, written
from .form import CloudForm
from .given import Secret
from .inputs import LONGEST, Data, Upload, input_field
from .namespace import data

__all__ = ["CallForm"]

#: Characters of a stream that the page shows: its end.
END = 20_000


class CallForm(CloudForm):
    """A playground for the endpoints of a deployment.

    Args:
        namespace: The notebook's names.
        name: Deployment to begin with; "" = the newest.
        cloud: Cloud or name of one; None = the current one.

    Attributes:
        fields: The fields of the inputs, by name.
        answer: What was answered last.
    """

    def __init__(
        self, namespace: dict[str, Any], name: str = "", *, cloud: Cloud | str | None = None
    ) -> None:
        super().__init__("Call", "call", "%bento_call NAME ENDPOINT INPUT=VALUE", cloud=cloud)
        self.namespace = namespace
        self.answer: Any = None
        self.fields: dict[str, fields.Field] = {}
        self._route: Mapping[str, Any] = {}
        self._of = ""
        self._views: dict[str, DeploymentView] = {}
        self._snippet = ""
        self.deployment = Choice("Deployment", [("", "")], few=0)
        self.endpoint = Choice("Endpoint", [("", "")], few=0)
        self.inputs = ipywidgets.VBox(layout={"width": "100%"})
        self.submit = self.button("Call", self._call, button_style="primary", tooltip="Send the request")
        self.again = self.again_button(self._look, "Look for deployments and names of the notebook")
        self.timing = ipywidgets.HTML(layout=fields.FULL)
        self.output = ipywidgets.Output(layout={**fields.FULL, "max_height": "32em", "overflow": "auto"})
        self.variable = fields.Text("Store as", placeholder="name of a variable")
        self.store = self.button("Store", self._store, tooltip="Put the answer into the notebook")
        self.language = Choice(
            "From elsewhere", [("choose a language", ""), *((each, each) for each in KINDS)], few=0
        )
        row = {"flex_flow": "row wrap", "align_items": "center"}
        self.stored = ipywidgets.HBox([self.variable.box, self.store], layout={**row, "max_width": "44em"})
        self.variable.box.layout.flex, self.variable.box.layout.width = "0 1 34em", "auto"
        self.widget.children = (
            self.deployment.box,
            self.endpoint.box,
            self.inputs,
            ipywidgets.HBox([self.submit, self.cancel, self.again], layout=row),
            self.message,
            self.timing,
            self.result,
            self.output,
            self.stored,
            self.language.box,
            self.code,
        )
        self.guarded(lambda: self._look(name))
        self.deployment.watch(lambda: self.later(self._chosen, "chosen"))
        self.endpoint.watch(lambda: self.later(self._asked, "asked"))
        self.language.watch(lambda: self.later(self._elsewhere, "elsewhere"))
        self.variable.watch(lambda: self.guarded(self.refresh))

    # --- what is shown -----------------------------------------------------------------------

    def _dep(self) -> Deployment:
        """The deployment; an embedded cloud that was stopped meanwhile is started again."""
        return workspace.deployment(self.deployment.value, cloud=self.reach())

    def _look(self, name: str = "") -> None:
        """Offer what there is now: deployments, their endpoints, names of the notebook."""
        self._views = {view.name: view for view in self.reach().deployments()}
        self.deployment.offer(
            [(f"{view.name}  ({view.mode.full_name})", view.name) for view in self._views.values()]
            or [("none yet: %bento_form deploy makes one", "")]
        )
        if name:
            self.deployment.value = name
        self._chosen()

    def _chosen(self) -> None:
        names = self._dep().endpoints.names if self.deployment.value else []
        names = sorted(names, key=lambda name: name != "predict")  # the one that is called by default
        self.endpoint.offer([(each, each) for each in names] or [("", "")])
        self._asked()

    def _asked(self) -> None:
        """Make the fields of the endpoint, unless they are there."""
        route = self._dep().endpoints.route(self.endpoint.value) if self.endpoint.value else {}
        if route and (self.deployment.value, route) == (self._of, self._route):
            self.offer()
            self._elsewhere()
            return
        self._of, self._route = self.deployment.value, route
        schema = route.get("input", {})
        properties = {"input": schema} if schema.get("root_input") else schema.get("properties", {})
        needed = ["input"] if schema.get("root_input") else schema.get("required", [])
        made = {
            name: input_field(name, each, self.namespace, needed=name in needed)
            for name, each in properties.items()
        }
        example = self._example()
        for name, field in made.items():
            value = example.get(name, properties[name].get("default"))
            given = name in example or value is not None
            is_kept = isinstance(field, (Upload, Secret)) or (isinstance(field, Data) and field.is_secret)
            if given and not is_kept:
                field.value = value
            field.settle()
            if isinstance(field, Data) and field.problem:  # schemas write defaults of bytes as plain text
                field.text.value = ""
                field.settle()
            field.watch(lambda field=field: self._typed(field))  # type: ignore[misc]
        with self._lock:
            former, self.fields = self.fields, made
            self.inputs.children = tuple(field.box for field in made.values())
            self.answer, self._said = None, ""
            self.timing.value = self.result.value = ""
            self.output.outputs = ()
        for field in former.values():
            field.close()
        self._elsewhere()

    def _example(self) -> dict[str, Any]:
        """A request to begin with: the sample of the proof, else one that fits the schema."""
        view = self._views.get(self.deployment.value)
        if view is None or not self.endpoint.value:
            return {}
        sample = sample_of(view.bento, self.endpoint.value)
        text = next((each.example for each in view.endpoints if each.name == self.endpoint.value), "")
        example = sample or (json.loads(text) if text else {})
        if self._route.get("input", {}).get("root_input"):
            return {"input": example}
        return example if isinstance(example, dict) else {}

    def offer(self) -> None:
        """Offer the names of the notebook that are data, as they are now."""
        named = data(self.namespace)
        for field in self.fields.values():
            if isinstance(field, Data):
                field.offer(named)

    def _typed(self, field: fields.Field) -> None:
        field.settle()
        self.guarded(self.refresh)
        if self.language.value:
            self.later(self._elsewhere, "elsewhere")

    @property
    def words(self) -> str:
        """The inputs as Python would write them."""
        is_root = self._route.get("input", {}).get("root_input")
        parts = []
        for name, field in self.fields.items():
            if isinstance(field, (Data, Upload)):
                words = field.words
            elif field.entered:
                words = "..." if isinstance(field, Secret) else written(field.value)
            else:
                words = ""
            if words:
                parts.append(words if is_root else f"{name}={words}")
        return ", ".join(parts)

    @property
    def is_long(self) -> bool:
        """What was entered is more than code can say."""
        pasted = any(isinstance(each, Data) and each.is_long for each in self.fields.values())
        return pasted or len(self.words) > LONGEST

    @property
    def line(self) -> str:
        """The magic line that does the same; "" when it would be too long."""
        if not self.endpoint.value or self.is_long:
            return ""
        words = ["%bento_call", quoted(f"--cloud={self.elsewhere}") if self.elsewhere else ""]
        words += [self.deployment.value, self.endpoint.value, self.words]
        return " ".join(filter(None, words))

    @property
    def call(self) -> str:
        """The Python call that does the same; "" when it would be too long."""
        if not self.endpoint.value or self.is_long:
            return ""
        inputs = f", {self.words}" if self.words else ""
        cloud = f", cloud={self.elsewhere!r}" if self.elsewhere else ""
        return f"bj.deployment({self.deployment.value!r}{cloud}).call({self.endpoint.value!r}{inputs})"

    def rows(self) -> list[tuple[str, str]]:
        """What a saved notebook says of it."""
        return [("as a line", self.line), ("in Python", self.call), ("last answer", self._said)]

    _said = ""

    def _fields(self) -> list[fields.Field]:
        return [*super()._fields(), *self.fields.values()]

    def refresh(self) -> None:
        """Show what follows from the values."""
        with self._lock:
            sound = all(field.is_sound for field in self.fields.values())
            self.submit.disabled = self.busy or not self.endpoint.value or not sound
            self.again.disabled = self.busy
            name = self.variable.value
            is_name = name.isidentifier() and not keyword.iskeyword(name)
            self.variable.problem = "" if is_name or not name else f"{name!r} is no name for a variable"
            self.store.disabled = self.busy or self.answer is None or not is_name
            self.stored.layout.display = "" if self.answer is not None else "none"
            codes = [("The same as a line", self.line), ("in Python", self.call)]
            if self._snippet:
                codes.append((f"from elsewhere, {self.language.value}", self._snippet))
            too_long = "too long to be shown as code: give the data a name in the notebook, and take that"
            self.code.value = (fields.note(too_long) if self.is_long else "") + code_html(codes)

    def _elsewhere(self) -> None:
        """Write the call in the language that was chosen."""
        language, self._snippet = self.language.value, ""
        if language and self.endpoint.value:
            try:
                if any(isinstance(each, Data) and each.is_secret for each in self.fields.values()):
                    raise MagicUsageError("there is a secret in it, so it is not written out here")
                values = {
                    name: "..." if isinstance(self.fields[name], Secret) else value
                    for name, value in self._values().items()
                }
                is_root = self._route.get("input", {}).get("root_input")
                args, kwargs = (list(values.values()), {}) if is_root else ([], values)
                text = self._dep().snippet(language, self.endpoint.value, *args, **kwargs).text
                self._snippet = (
                    text if len(text) <= LONGEST else f"# {len(text):,} characters: too long to show"
                )
            except (CallError, MagicUsageError) as error:
                self._snippet = f"# {error.message}"
        self.refresh()

    # --- doing -------------------------------------------------------------------------------

    def _values(self) -> dict[str, Any]:
        """The inputs by name.

        Raises:
            MagicUsageError: One cannot be read; it is said at its field, too.
        """
        values = {}
        for name, field in self.fields.items():
            try:
                if field.entered:
                    values[name] = field.value
            except MagicUsageError as error:
                field.refuse(error.message)
                raise
        return values

    def _call(self) -> None:
        for field in self.fields.values():
            field.pardon()
            field.settle()
        if not all(field.is_sound for field in self.fields.values()):
            self.refresh()
            self.tell("mend the fields that are marked")
            return
        self.offer()
        self.answer, self._said = None, ""
        self.output.outputs, self.result.value, self.timing.value = (), "", ""
        values, dep = self._values(), self._dep()
        asking = Asking(dep, dep.endpoints.route(self.endpoint.value), values)
        self.cancel.description, self.cancel.disabled = "Cancel", False
        self.cancel.layout.display = ""
        self._waiting(asking)
        try:
            self.answer = asking.answer(self.cancelled, lambda: self._waiting(asking))
        except CallError as error:
            self._blame(error)
            raise
        finally:
            self.timing.value = ""
            if asking.streams:
                self.result.value = _stream_html(asking.parts)
        if not (asking.streams and isinstance(self.answer, (str, list))):
            self.output.append_display_data(_InKind(self.answer))
        self._said = str(dep.last_timing) if dep.last_timing else "the task is done"
        self.timing.value = str(dep.last_timing._repr_mimebundle_()["text/html"]) if dep.last_timing else ""

    def _waiting(self, asking: Asking) -> None:
        """Show what has come, or what is waited for."""
        if asking.parts:
            self.result.value = _stream_html(asking.parts)
            self.timing.value = fields.note(f"{len(asking.parts)} parts so far …")
        else:
            self.timing.value = fields.note(f"called: {waiting_words(asking.dep.status())} …")

    def _blame(self, error: CallError) -> None:
        """Put an error of the call at the field of the input that it is about."""
        if error.status_code == 400 and self._route.get("input", {}).get("root_input"):
            self.fields["input"].refuse(error.message.partition(" answered 400: ")[2] or error.message)
            return
        for name, field in self.fields.items():
            word = re.escape(name)
            if re.search(rf"input '{word}'|needs .*\b{word}\b|(?:: |; ){word}[.:]", error.message):
                said = error.message.rpartition(" answered 400: ")[2]
                field.refuse(re.sub(rf"^.*?(?:does not fit: |\b{word}: )", "", said))

    def _store(self) -> None:
        if not self.namespace:  # not even what IPython puts into one
            raise MagicUsageError(
                "there is no notebook here to put it into", hint="the form's `answer` is what was answered"
            )
        self.namespace[self.variable.value] = self.answer
        self.tell(f"the answer is in {self.variable.value}", wrong=False)
        self.offer()


class _InKind:
    """An answer as a cell shows it: sounds can be played, pictures seen, texts read as they are."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def _repr_mimebundle_(self, **_: Any) -> Any:
        value = self._value
        if isinstance(value, (bytes, bytearray)):
            return file_bundle(bytes(value), str(getattr(value, "name", "")))
        if isinstance(value, str):
            return {"text/plain": value, "text/html": _pre(value)}
        if value is None:
            return {"text/plain": "None"}
        from IPython.core.formatters import format_display_data

        data, metadata = format_display_data(value)
        # A kernel does so with what cells show, but nobody does with what is put into a widget.
        encoded = {
            kind: base64.b64encode(each).decode() if isinstance(each, bytes) else each
            for kind, each in data.items()
        }
        return encoded, metadata


def _stream_html(parts: list[Any]) -> str:
    if parts and all(isinstance(part, bytes) for part in parts):
        return fields.note(f"{sum(map(len, parts))} bytes in {len(parts)} parts")
    return _pre("".join(part if isinstance(part, str) else f"{part!r}\n" for part in parts)[-END:])


def _pre(text: str) -> str:
    style = "white-space:pre-wrap;overflow-wrap:anywhere;max-height:20em;overflow:auto;font-size:13px"
    return f'<pre role="log" aria-label="answer" tabindex="0" style="{style}">{escape(text)}</pre>'
