"""The form that deploys: type first, then name, Bento or object, instances; it changes and clones, too."""

from __future__ import annotations

import os
from collections.abc import Sequence
from html import escape
from typing import Any

import ipywidgets

from .. import workspace
from ..display.cards import deployment_card
from ..display.tables import Table
from ..display.words import age, size
from ..errors import MagicUsageError
from ..service_spec import STRATEGIES
from ..spec import DeploymentSpec, Mode
from . import fields
from .code import deploy_call, deploy_line
from .form import Form, code_html
from .models import Group, Look
from .namespace import built_bentos, evaluated, servable

__all__ = ["BentoPicker", "DeployForm", "changed"]

#: What is looked at first; all else that the model has stands in the advanced part.
MAIN = ("min", "max", "concurrency", "queue", "instance_type", "envs", "secrets", "labels", "protected")
LABELS = {
    "mode": "Type",
    "min": "Min instances",
    "max": "Max instances",
    "envs": "Environment",
    "idle_seconds": "Idle seconds",
}
#: What each type means, for the two things that one chooses by.
MEANINGS = {
    Mode.ONLINE: ("always up: the first request is as fast as any", "uses memory all the time"),
    Mode.ON_DEMAND: ("the first request waits for an instance", "nothing while idle, back to zero by itself"),
}


class BentoPicker(fields.Field):
    """A Bento out of many: a text to search by, above a list, newest first, with the proof of each.

    Args:
        label: Label.
        bentos: Tag, and what is shown.
    """

    def __init__(self, label: str, bentos: Sequence[tuple[str, str]]) -> None:
        self._all = [(shown, tag) for tag, shown in bentos]
        self.search = ipywidgets.Text(
            description=label, placeholder="type to search", style=fields.LABEL, layout=fields.WIDE
        )
        self.widget = ipywidgets.Select(
            options=self._all,
            rows=min(5, max(2, len(self._all))),
            description="found",
            style=fields.LABEL,
            layout=fields.WIDE,
        )
        super().__init__(
            ipywidgets.VBox([self.search, self.widget], layout={"width": "100%", "overflow": "visible"})
        )
        self.widgets = (self.search, self.widget)
        self.search.observe(self._searched, "value")
        self._observe(self.widget)

    def _searched(self, _: Any) -> None:
        words, kept = self.search.value.lower().split(), self.widget.value
        found = [each for each in self._all if all(word in each[0].lower() for word in words)]
        self.widget.options = found
        self.widget.index = (
            next((at for at, each in enumerate(found) if each[1] == kept), 0) if found else None
        )
        self._changed()

    def _get(self) -> str:
        return self.widget.value or ""

    def _put(self, value: Any) -> None:
        self.search.value = ""
        if value and value not in [tag for _, tag in self._all]:
            self._all = [(f"{value}  (in the cloud)", value), *self._all]
        self.widget.options = self._all
        self.widget.value = value or None

    def own_problem(self) -> str:
        """What is wrong that the value does not show."""
        if self.value:
            return ""
        return "nothing found" if self._all else "no Bento yet: %bento_form build makes one"


class DeployForm(Form):
    """Deploys a Bento or an object of the notebook by hand, changes and clones deployments.

    Args:
        namespace: The notebook's names.
        update: Name of a deployment to change; "" = none.
        clone: Name of a deployment to start from; "" = none.

    Attributes:
        deployment: The deployment it made or changed last; None until then.
        group: The fields of `DeploymentSpec`.
    """

    def __init__(self, namespace: dict[str, Any], *, update: str = "", clone: str = "") -> None:
        super().__init__("Deploy", "deploy")
        self.deployment: Any = None
        self.namespace = namespace
        #: What names the cloud, also when the embedded one comes back at another address.
        self._where = workspace.pinned(None)
        self.cloud = workspace.current()
        self._taken = {view.name for view in self.cloud.deployments()}
        self._before: DeploymentSpec | None = None
        self._objects = servable(namespace)
        types = [(_type_words(item), item.name) for item in self.cloud.instance_types()]
        look = Look(
            labels=LABELS,
            options={"instance_type": types, "strategy": [(each, each) for each in STRATEGIES]},
            secret=("envs",),
        )
        self.group = Group(DeploymentSpec, look=look, without=("bento",))
        self.group["instance_type"].remark = _machine() if self.cloud.embedded else ""
        self.group["envs"].remark = "values are kept in the kernel, never in the notebook"
        self.start = fields.Choice("Start from", self._starts(), few=0)
        self.source = fields.Choice("Deploy", [("a Bento", "bento"), ("an object of the notebook", "object")])
        self.bento = BentoPicker("Bento", _offered(namespace))
        self.object = fields.Choice(
            "Object", [(each.label, each.name) for each in self._objects] or [("none", "")], few=0
        )
        self.sample = fields.Text("Sample", placeholder="input like those that will come, e.g. X_test[:5]")
        self.submit = self.button(
            "Deploy", self._deploy, button_style="primary", icon="rocket", tooltip="Deploy as described"
        )
        self.difference = ipywidgets.HTML(layout={"width": "100%"})
        self.code = ipywidgets.HTML(layout={"width": "100%"})
        self._lay_out()
        self.group["name"].value = self._free_name(self.bento.value)
        self.start.value = ("update", update) if update else ("clone", clone) if clone else ("new", "")
        self._started()
        self._watch()

    def _lay_out(self) -> None:
        shown = self.group.fields
        meaning = ipywidgets.HTML(_meanings(), layout={"margin": "0 0 4px 9.5em", "max_width": "40em"})
        advanced = ipywidgets.Accordion(
            [ipywidgets.VBox([shown[name].box for name in shown if name not in (*MAIN, "name", "mode")])],
            titles=("Advanced",),
            selected_index=None,
        )
        self.widget.children = (
            shown["mode"].box,
            meaning,
            self.start.box,
            shown["name"].box,
            self.source.box,
            self.bento.box,
            self.object.box,
            self.sample.box,
            *(shown[name].box for name in MAIN if name in shown),
            advanced,
            self.group.box,
            self.difference,
            ipywidgets.HBox([self.submit, self.cancel], layout={"margin": "6px 0"}),
            self.message,
            self.progress,
            self.result,
            self.code,
        )
        # The group's fields are laid out above; what is about no field of it is said here.
        self.group.box.children = (self.group._message,)

    def _watch(self) -> None:
        self.start.watch(lambda: self.later(self._started, "start"))
        self.group["mode"].watch(lambda: self.guarded(self._mode_changed))
        self.group["name"].watch(lambda: self.later(self._look_for_names, "names"))
        self.bento.watch(lambda: self.guarded(self._bento_changed))
        for field in (self.group, self.source, self.object, self.sample):
            field.watch(lambda: self.guarded(self.refresh))

    def groups(self) -> Sequence[Group]:
        """The fields of the deployment."""
        return (self.group,)

    # --- reading -----------------------------------------------------------------------------

    def read(self) -> DeploymentSpec | None:
        """What the fields say, with each problem shown beside its field; None when there is one."""
        self.group.given["bento"] = self.bento.value if self.source.value == "bento" else ""
        spec: DeploymentSpec | None = self.group.read()
        self.bento.problem = self.bento.own_problem() if self.source.value == "bento" else ""
        self.object.problem = (
            "nothing in the notebook can be served"
            if self.source.value == "object" and not self._objects
            else ""
        )
        if self._before is None and self.group["name"].value in self._taken:
            self.group["name"].problem = "there is one of this name: 'Start from' can change it"
        return spec if all(each.is_sound for each in (self.group, self.bento, self.object)) else None

    @property
    def line(self) -> str:
        """The magic line that does the same; "" while a field is wrong."""
        spec = self.read()
        try:
            return "" if spec is None else deploy_line(spec, self._target_words(), self._sample_words())
        except ValueError:  # something that no line can hold, but a call can
            return ""

    @property
    def call(self) -> str:
        """The Python call that does the same; "" while a field is wrong."""
        spec = self.read()
        target = self._target_words()
        shown = target if self.source.value == "object" else repr(target)
        return "" if spec is None else deploy_call(spec, shown, self._sample_words())

    def _target_words(self) -> str:
        return str(self.object.value if self.source.value == "object" else self.bento.value)

    def _sample_words(self) -> str:
        return self.sample.value.strip() if self.source.value == "object" else ""

    def changes(self, spec: DeploymentSpec) -> dict[str, tuple[Any, Any]]:
        """What another spec would change in the deployment that is changed: field -> before and after."""
        return {} if self._before is None else changed(self._before, spec)

    def rows(self) -> list[tuple[str, str]]:
        """What a saved notebook says of it."""
        made = [] if self.deployment is None else [("deployed", self.deployment.name)]
        return [*made, ("as a line", self.line), ("in Python", self.call)]

    # --- showing -----------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show what follows from the values."""
        with self._lock:
            spec = self.read()
            is_object = self.source.value == "object"
            self.bento.box.layout.display = "none" if is_object else ""
            self.object.box.layout.display = self.sample.box.layout.display = "" if is_object else "none"
            self.difference.value = self._difference_html(spec) if self._before is not None else ""
            unchanged = (
                self._before is not None and spec is not None and not is_object and not self.changes(spec)
            )
            self.submit.description = "Deploy" if self._before is None else "Apply changes"
            self.submit.disabled = spec is None or self.busy or unchanged
            self.code.value = code_html([("The same as a line", self.line), ("in Python", self.call)])

    def _difference_html(self, spec: DeploymentSpec | None) -> str:
        if spec is None:
            return ""
        rows = [
            [LABELS.get(name, name), _shown(name, before), _shown(name, after)]
            for name, (before, after) in self.changes(spec).items()
        ]
        table = Table(["what changes", "now", "then"], rows, empty="nothing changes yet")
        return f'<div role="status">{table._repr_mimebundle_()["text/html"]}</div>'

    def _starts(self) -> list[tuple[str, Any]]:
        names = sorted(self._taken)
        return [
            ("nothing: a new deployment", ("new", "")),
            *((f"{name}: change it", ("update", name)) for name in names),
            *((f"{name}: a copy of it", ("clone", name)) for name in names),
        ]

    def _started(self) -> None:
        how, name = self.start.value
        found = self.cloud.spec(name) if name else None
        if name and found is None:
            raise MagicUsageError(
                f"there is no deployment {name!r}", hint=f"there are: {', '.join(self._taken)}"
            )
        with self._lock:
            self._before = found if how == "update" else None
            self.group["name"].disabled = how == "update"
            if found is not None:
                self.bento.value = found.bento
                self.group.value = found.model_copy(
                    update={} if how == "update" else {"name": self._free_name(name)}
                )
            self.refresh()

    def _mode_changed(self) -> None:
        on_demand = self.group["mode"].value is Mode.ON_DEMAND
        if on_demand and self.group["min"].value not in (None, "0"):
            self.group["min"].value = None
        self.group["min"].disabled = on_demand

    def _bento_changed(self) -> None:
        if self._before is None and not self.group["name"].value:
            self.group["name"].value = self._free_name(self.bento.value)
        self.refresh()

    def _look_for_names(self) -> None:
        taken = {view.name for view in self.cloud.deployments()}
        if taken != self._taken:
            self._taken = taken
            self.refresh()

    def _free_name(self, tag: str) -> str:
        base = (tag or "").partition(":")[0].replace("_", "-")
        name, number = base, 2
        while base and name in self._taken:
            name, number = f"{base}-{number}", number + 1
        return name

    # --- doing -------------------------------------------------------------------------------

    def _deploy(self) -> None:
        spec = self.read()
        if spec is None:
            self.refresh()
            self.tell("mend the fields that are marked")
            return
        before = self._before or DeploymentSpec(name=spec.name)
        given = {name: value for name, (_, value) in changed(before, spec).items() if name != "bento"}
        given |= {"name": spec.name, "mode": spec.mode}
        reset = [
            name
            for name, value in given.items()
            if name not in ("name", "services") and value == DeploymentSpec.default_of(name)
        ]
        given = {name: value for name, value in given.items() if name not in reset}
        target: Any = spec.bento
        steps = list(workspace.DEPLOY_STEPS)
        options: dict[str, Any] = {}
        if self.source.value == "object":
            target = evaluated(self.object.value, self.namespace, "object")
            options["sample"] = evaluated(self.sample.value, self.namespace, "sample")
            steps = ["build", "prove", *steps]
        verb = "Deploying" if self._before is None else "Changing"
        with self.progress_of(f"{verb} {spec.name}", steps) as progress:
            self.deployment = workspace.deploy(
                target, **given, **options, reset=reset, cloud=self._where, progress=progress
            )
        self.group.forget()
        self.result.value = deployment_card(self.deployment.status())["text/html"]
        self._taken.add(spec.name)
        self.start.offer(self._starts())
        if self._before is not None:
            self._started()  # what it is now: secrets that were sent are in the fields no more


def changed(before: DeploymentSpec, after: DeploymentSpec) -> dict[str, tuple[Any, Any]]:
    """The fields in which two specs differ, with both values; a Bento that is still to be built is none."""
    return {
        name: (getattr(before, name), getattr(after, name))
        for name in DeploymentSpec.model_fields
        if getattr(before, name) != getattr(after, name) and not (name == "bento" and not after.bento)
    }


def _shown(name: str, value: Any) -> str:
    if name == "envs":
        return ", ".join(value) or "none"
    if isinstance(value, Mode):
        return value.full_name
    return "default" if value is None else str(value)


def _meanings() -> str:
    """What the types mean, side by side."""
    style = "flex:1 1 14em;border:1px solid var(--jp-border-color2,#bbb);border-radius:4px;padding:4px 8px"
    cells = "".join(
        f'<div style="{style}"><strong>{escape(mode.full_name)}</strong><br>'
        f"latency: {escape(latency)}<br>cost: {escape(cost)}</div>"
        for mode, (latency, cost) in MEANINGS.items()
    )
    return (
        f'<div style="display:flex;flex-wrap:wrap;gap:8px;line-height:1.4;white-space:normal">{cells}</div>'
    )


def _type_words(item: Any) -> str:
    gpu = f", {item.gpu} GPU" if item.gpu else ""
    price = f", {item.price}" if item.price else ""
    return f"{item.name}: {item.cpu:g} CPU, {size(item.memory_bytes)}{gpu}{price}"


def _machine() -> str:
    """What there is for instances on this machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"this machine has {os.cpu_count()} CPUs and {size(memory)}: what does not fit waits its turn"


def _offered(namespace: dict[str, Any]) -> list[tuple[str, str]]:
    """Bentos to choose from: those built in the notebook, then those of the local store, newest first."""
    local = {item["tag"]: item for item in workspace.local_bentos()}
    built = built_bentos(namespace)
    tags = [*[tag for tag in local if tag in built], *[tag for tag in local if tag not in built]]

    def words(tag: str) -> str:
        proof = built[tag].proof if tag in built else None
        badge = "" if proof is None else "  ✓ proven" if proof.equal else "  ✗ different"
        return f"{tag}{badge}  {age(local[tag]['created_at'])} old, {size(local[tag]['size'])}"

    return [(tag, words(tag)) for tag in tags]
