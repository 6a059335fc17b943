"""The form that builds: objects of the notebook, a sample, and the plan as it changes with them."""

from __future__ import annotations

import re
from typing import Any

import ipywidgets

from .. import workspace
from ..errors import BentoJupyterError, SampleError
from . import fields
from .form import Form, code_html
from .namespace import data, evaluated, servable

__all__ = ["BuildForm"]


class BuildForm(Form):
    """Builds a Bento from objects of the notebook, and proves it.

    Args:
        namespace: The notebook's names.

    Attributes:
        built: The Bento that was built last; None until then.
    """

    def __init__(self, namespace: dict[str, Any]) -> None:
        super().__init__("Build", "build")
        self.built: workspace.BuiltBento | None = None
        self.namespace = namespace
        self._names = {each.label: each.name for each in servable(namespace)}
        self._planned = False
        self.objects = fields.Several(
            "Objects",
            list(self._names),
            empty="nothing here can be served yet: run the cells",
        )
        self.name = fields.Text("Name", placeholder="small letters, digits, - and _")
        samples = ", ".join(each.name for each in data(namespace)[:6])
        self.sample = fields.Text("Sample", placeholder="input like those that will come, e.g. X_test[:5]")
        self.sample.remark = f"data in the notebook: {samples}" if samples else ""
        self.endpoints = fields.Several("Endpoints", [], empty="chosen from the plan")
        self.submit = self.button(
            "Build and prove", self._build, button_style="primary", tooltip="Build the Bento as planned"
        )
        self.plan = ipywidgets.HTML(layout={"width": "100%", "max_height": "24em", "overflow": "auto"})
        self.code = ipywidgets.HTML(layout={"width": "100%"})
        self.widget.children = (
            self.objects.box,
            self.name.box,
            self.sample.box,
            self.endpoints.box,
            self.plan,
            ipywidgets.HBox([self.submit, self.cancel]),
            self.message,
            self.progress,
            self.result,
            self.code,
        )
        self.objects.watch(lambda: self.guarded(self._chosen))
        for field in (self.name, self.sample, self.endpoints):
            field.watch(lambda: self.guarded(self._changed))
        self.refresh()

    # --- what is shown -----------------------------------------------------------------------

    @property
    def chosen(self) -> list[str]:
        """Names of the objects."""
        return [self._names[label] for label in self.objects.value]

    @property
    def line(self) -> str:
        """The magic line that does the same; "" while nothing is chosen."""
        if not self.chosen or not self.name.value:
            return ""
        words = ["%bento_build", self.name.value, *self.chosen]
        words += ["--sample", self.sample.value.strip()] if self.sample.value.strip() else []
        return " ".join([*words, *(word for each in self.endpoints.value for word in ("--endpoint", each))])

    def _python(self) -> str:
        if not self.line:
            return ""
        objects = ", ".join(self.chosen)
        parts = [repr(self.name.value), objects if len(self.chosen) == 1 else f"[{objects}]"]
        parts += [f"sample={self.sample.value.strip()}"] if self.sample.value.strip() else []
        parts += [f"endpoints={self.endpoints.value!r}"] if self.endpoints.value else []
        return f"bj.build({', '.join(parts)})"

    def rows(self) -> list[tuple[str, str]]:
        """What a saved notebook says of it."""
        built = [] if self.built is None else [("built", self.built.tag)]
        return [*built, ("as a line", self.line), ("in Python", self._python())]

    def refresh(self) -> None:
        """Show what follows from the values."""
        with self._lock:
            self.submit.disabled = self.busy or not self.line or not self._planned
            self.code.value = code_html([("The same as a line", self.line), ("in Python", self._python())])

    def _chosen(self) -> None:
        if self.chosen and not self.name.value:
            self.name.value = re.sub(r"[^a-z0-9_-]+", "-", self.chosen[0].lower()).strip("-_")
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
        self.plan.value = ""
        self.name.problem = self.sample.problem = ""
        if not self.chosen or not self.name.value:
            return
        try:
            planned = workspace.plan(**self._arguments())
        except SampleError as error:
            self.sample.problem = " ".join(part for part in (error.message, error.hint) if part)
            return
        except BentoJupyterError as error:
            self.plan.value = fields.alert(error.message, error.hint)
            return
        try:
            self.plan.value = planned._repr_mimebundle_()["text/html"]
            for point in planned.endpoints:
                if len(planned.endpoints) > 1:
                    self.endpoints.offer(point.name)
        finally:
            planned.close()
        self._planned = True
        self.refresh()

    # --- doing -------------------------------------------------------------------------------

    def _build(self) -> None:
        arguments = self._arguments()
        with self.progress_of(f"Building {self.name.value}", ["build", "prove"]) as progress:
            self.built = workspace.build(**arguments, progress=progress)
        self.result.value = self.built._repr_mimebundle_()["text/html"]
        self.tell("%bento_form deploy takes it from here", wrong=False)
