"""The form that builds: objects of the notebook, a sample, and the plan as it changes with them."""

from __future__ import annotations

import re
from typing import Any

import ipywidgets

from .. import workspace
from ..errors import BentoJupyterError, MagicUsageError, NotServableError, SampleError
from ..spec import NAME_PATTERN
from . import fields
from .choices import Several
from .code import build_call, build_line, code_html, expression
from .form import Form
from .namespace import data, evaluated, methods, servable

__all__ = ["BuildForm"]

NAME_RULE = "small letters, digits, - and _, at most 63; a letter or digit at both ends"


class BuildForm(Form):
    """Builds a Bento from objects of the notebook, and proves it.

    Args:
        namespace: The notebook's names.

    Attributes:
        built: The Bento that was built last; None until then.
    """

    def __init__(self, namespace: dict[str, Any]) -> None:
        super().__init__("Build", "build", "%bento_build NAME OBJECT --sample EXPRESSION")
        self.built: workspace.BuiltBento | None = None
        self.namespace = namespace
        self._planned = False
        self.objects = Several("Objects", [], empty="nothing here can be served yet: run the cells")
        self.name = fields.Text("Name", placeholder="small letters, digits, - and _")
        self.sample = fields.Text(
            "Sample", placeholder="input like those that will come, e.g. X_test[:5]", offered=()
        )
        # It is evaluated for the plan, so never while it is half typed.
        self.sample.widget.continuous_update = False
        self.endpoints = Several("Endpoints", [], empty="those of the plan")
        self.submit = self.button(
            "Build and prove", self._build, button_style="primary", tooltip="Build the Bento as planned"
        )
        self.again = self.again_button(self._look, "Look for objects and data of the notebook")
        self.plan = ipywidgets.HTML(layout={**fields.FULL, "max_height": "24em", "overflow": "auto"})
        self.widget.children = (
            self.objects.box,
            self.name.box,
            self.sample.box,
            self.endpoints.box,
            self.plan,
            ipywidgets.HBox([self.submit, self.cancel, self.again], layout={"flex_flow": "row wrap"}),
            self.message,
            self.progress,
            self.result,
            self.code,
        )
        self._look()
        self.objects.watch(lambda: self.guarded(self._chosen))
        for field in (self.name, self.sample, self.endpoints):
            field.watch(lambda: self.guarded(self._changed))
        self.refresh()

    # --- what is shown -----------------------------------------------------------------------

    @property
    def chosen(self) -> list[str]:
        """Names of the objects."""
        return list(self.objects.value)

    def _look(self) -> None:
        """Offer what there is now: objects that can be served, and data of the notebook."""
        self.objects.offer([(each.label, each.name) for each in servable(self.namespace)], keep=True)
        samples = [each.name for each in data(self.namespace)]
        self.sample.offer(samples)
        self.sample.remark = f"data in the notebook: {', '.join(samples[:6])}" if samples else ""
        if self.chosen:
            self._changed()

    @property
    def line(self) -> str:
        """The magic line that does the same; "" while there is no object or no name."""
        return build_line(*self._said) if self._said else ""

    @property
    def call(self) -> str:
        """The Python call that does the same; "" while there is no object or no name."""
        return build_call(*self._said) if self._said else ""

    @property
    def _said(self) -> tuple[str, list[str], str, list[str]] | None:
        name = self.name.value
        if not self.chosen or not NAME_PATTERN.match(name):
            return None
        return name, self.chosen, expression(self.sample.value), self.endpoints.value

    def rows(self) -> list[tuple[str, str]]:
        """What a saved notebook says of it."""
        built = [] if self.built is None else [("built", self.built.tag)]
        return [*built, ("as a line", self.line), ("in Python", self.call)]

    def refresh(self) -> None:
        """Show what follows from the values."""
        with self._lock:
            name = self.name.value
            self.name.problem = "" if not name or NAME_PATTERN.match(name) else NAME_RULE
            self.name.remark = "the Bento needs a name" if self.chosen and not name else ""
            self.objects.remark = "" if self.chosen else "tick what is to be served"
            self.submit.disabled = self.busy or not self.line or not self._planned
            self.again.disabled = self.busy
            self.code.value = code_html([("The same as a line", self.line), ("in Python", self.call)])

    def _chosen(self) -> None:
        if self.chosen and not self.name.value:
            self.name.value = re.sub(r"[^a-z0-9_-]+", "-", self.chosen[0].lower()).strip("-_")
        found = {name: self.namespace[name] for name in self.chosen if name in self.namespace}
        known = methods(found)
        self.endpoints.offer([(each, each) for each in known] if len(known) > 1 else [])
        self._changed()

    def _changed(self) -> None:
        self._planned = False
        self.refresh()
        self.later(self._plan, "plan")

    def _arguments(self) -> dict[str, Any]:
        objects = [evaluated(name, self.namespace, "object") for name in self.chosen]
        return {
            "name": self.name.value,
            "obj": objects[0] if len(objects) == 1 else objects,
            "sample": evaluated(self.sample.value, self.namespace, "sample"),
            "endpoints": self.endpoints.value or None,
        }

    def _plan(self) -> None:
        """Plan what is chosen; what cannot be built is said at the field that it is about."""
        self.plan.value = ""
        self.objects.problem = self.sample.problem = self.endpoints.problem = ""
        if not self.chosen or not self.name.value or self.name.problem:
            return
        try:
            planned = workspace.plan(**self._arguments())
        except BentoJupyterError as error:
            if not self._placed(error):
                self.plan.value = fields.alert(error.message, error.hint)
            return
        try:
            self.plan.value = planned._repr_mimebundle_()["text/html"]
        finally:
            planned.close()
        self._planned = True
        self.tell("")
        self.refresh()

    def _placed(self, error: BentoJupyterError) -> bool:
        """Whether an error is about a field, and stands there now."""
        if isinstance(error, SampleError) or error.message.startswith("sample:"):
            field: fields.Field = self.sample
        elif isinstance(error, (NotServableError, MagicUsageError)):
            named = any(f"{each!r}" in error.message for each in self.endpoints.value)
            field = self.endpoints if named or error.hint.startswith("--endpoint") else self.objects
        else:
            return False
        hint = "tick those to serve" if field is self.endpoints and error.hint else error.hint
        field.problem = "; ".join(part for part in (error.message, hint) if part)
        return True

    def place(self, error: BentoJupyterError) -> None:
        """Put an error of the build beside the field that it is about."""
        self._placed(error)

    # --- doing -------------------------------------------------------------------------------

    def _build(self) -> None:
        arguments = self._arguments()
        with self.progress_of(f"Building {self.name.value}", ["build", "prove"]) as progress:
            self.built = workspace.build(**arguments, progress=progress)
        self.result.value = self.built._repr_mimebundle_()["text/html"]
        self.tell("%bento_form deploy takes it from here", wrong=False)
