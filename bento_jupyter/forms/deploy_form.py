"""The form that deploys: type first, then name, Bento or object, instances; it changes and clones, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import ipywidgets

from .. import workspace
from ..client.cloud import Cloud
from ..client.local import stored
from ..display.cards import deployment_card
from ..display.tables import Table
from ..errors import (
    BentoJupyterError,
    ConflictError,
    InvalidRequestError,
    MagicUsageError,
    NotFoundError,
    NotServableError,
    SampleError,
)
from ..service_spec import STRATEGIES
from ..spec import EXPIRES_LABEL, OWNER_LABEL, DeploymentSpec, free_name
from ..views import InstanceType
from . import fields
from .bento_picker import BentoPicker, offered_bentos
from .choices import Choice, Several
from .code import (
    changed,
    code_html,
    deploy_call,
    deploy_line,
    differences,
    expression,
    rebased,
    update_line,
    wanted_changes,
)
from .form import CloudForm
from .models import Group, Look
from .namespace import data, evaluated, servable
from .scaling import meanings_html, min_follows_mode, room_words, type_words

__all__ = ["DeployForm"]

#: What is looked at first; all else that the model has stands in the advanced part.
MAIN = ("min", "max", "concurrency", "queue", "instance_type", "envs", "secrets", "labels", "protected")
LABELS = {
    "mode": "Type",
    "min": "Min instances",
    "max": "Max instances",
    "envs": "Environment",
    "idle_seconds": "Idle seconds",
    "cold_start_timeout": "Start timeout",
}
#: What the instance type is that nobody has chosen.
DEFAULT_TYPE = "default: the smallest that fits"
#: Labels that are those of one deployment.
OF_ONE = (EXPIRES_LABEL, OWNER_LABEL)


class DeployForm(CloudForm):
    """Deploys a Bento or an object of the notebook by hand, changes and clones deployments.

    Args:
        namespace: The notebook's names.
        update: Name of a deployment to change; "" = none.
        clone: Name of a deployment to start from; "" = none.
        cloud: Cloud or name of one; None = the current one.
        defaults: What the fields of a new deployment begin with, where that is not the cloud's default.

    Attributes:
        deployment: The deployment it made or changed last; None until then.
        group: The fields of `DeploymentSpec`.
    """

    def __init__(
        self,
        namespace: dict[str, Any],
        *,
        update: str = "",
        clone: str = "",
        cloud: Cloud | str | None = None,
        defaults: Mapping[str, Any] | None = None,
    ) -> None:
        usage = "%bento_deploy BENTO_OR_OBJECT --name NAME --mode online"
        super().__init__("Deploy", "deploy", usage, cloud=cloud)
        self.deployment: Any = None
        self.namespace = namespace
        self._taken: set[str] = set()
        self._before: DeploymentSpec | None = None
        self._loaded: dict[str, Any] = {}
        self._types: dict[str, InstanceType] = {}
        self._bentos: list[tuple[str, str]] = []
        #: Also of the fields of canaries and services that are added later.
        self._options: dict[str, list[tuple[str, Any]]] = {"strategy": [(each, each) for each in STRATEGIES]}
        self._gather()
        look = Look(labels=LABELS, options=self._options, secret=("envs",))
        self.group = Group(DeploymentSpec, look=look, without=("bento",))
        self.group["envs"].remark = "values are kept in the kernel, never in the notebook"
        self.group["secrets"].remark = "`bentoml secret create NAME KEY=VALUE` makes one; then look again"
        self.start = Choice("Start from", self._starts(), few=0)
        self.source = Choice("Deploy", [("a Bento", "bento"), ("an object of the notebook", "object")])
        self.bento = BentoPicker("Bento", [])
        self.object = Choice("Object", [("none", "")], few=0)
        self.sample = fields.Text(
            "Sample", placeholder="input like those that will come, e.g. X_test[:5]", offered=()
        )
        self.submit = self.button(
            "Deploy", self._deploy, button_style="primary", icon="rocket", tooltip="Deploy as described"
        )
        self.again = self.again_button(
            self._look, "Look for Bentos, deployments, secrets and names of the notebook"
        )
        self.difference = ipywidgets.HTML(layout=fields.FULL)
        self._lay_out()
        self._offer()
        self.group["name"].value = self._free_name(self.bento.value)
        for field, value in (defaults or {}).items():
            if field not in self.group.fields:
                raise InvalidRequestError(
                    f"defaults: there is no field {field!r}", hint=f"one of {', '.join(self.group.fields)}"
                )
            self.group[field].value = value
        min_follows_mode(self.group)
        self.start.value = ("update", update) if update else ("clone", clone) if clone else ("new", "")
        self._started()
        self._watch()

    def _lay_out(self) -> None:
        shown = self.group.fields
        meaning = ipywidgets.HTML(meanings_html(), layout={"margin": "0 0 4px 9.5em", "max_width": "40em"})
        # A box to tick, because the titles of an accordion are out of reach for the keyboard.
        self.more = fields.Flag("Advanced", tip="Windows, timeouts, strategy, canary, and what else there is")
        self._advanced = [shown[name] for name in shown if name not in (*MAIN, "name", "mode")]
        advanced = ipywidgets.VBox(
            [field.box for field in self._advanced], layout={"display": "none", "overflow": "visible"}
        )

        def turned() -> None:
            advanced.layout.display = "" if self.more.value else "none"

        self.more.watch(turned)
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
            self.more.box,
            advanced,
            self.group.box,
            self.difference,
            ipywidgets.HBox(
                [self.submit, self.cancel, self.again], layout={"margin": "6px 0", "flex_flow": "row wrap"}
            ),
            self.message,
            self.progress,
            self.result,
            self.code,
        )
        self.group.scatter()

    def _watch(self) -> None:
        self.start.watch(self._start_chosen)
        self.group["mode"].watch(lambda: self.guarded(self._mode_changed))
        self.group["name"].watch(lambda: self.later(self._look_for_names, "names"))
        self.bento.watch(lambda: self.guarded(self._bento_changed))
        self.bento.watch(lambda: self.later(self._services_named, "services"))
        for name in ("instance_type", "max"):
            self.group[name].watch(lambda: self.guarded(self._room_shown))
        for field in (self.group, self.source, self.object, self.sample):
            field.watch(lambda: self.guarded(self.refresh))

    def groups(self) -> Sequence[Group]:
        """The fields of the deployment."""
        return (self.group,)

    def place(self, error: BentoJupyterError) -> None:
        """Put an error beside its field: object, sample, Bento, start, or one of the deployment."""
        if isinstance(error, SampleError) or error.message.startswith("sample:"):
            self.sample.refuse(error.message)
        elif isinstance(error, NotServableError) or error.message.startswith("object:"):
            self.object.refuse(error.message)
        elif isinstance(error, NotFoundError) and self.bento.value and self.bento.value in error.message:
            self.bento.refuse(error.message)
        elif isinstance(error, NotFoundError) and self._before is not None:
            self.start.refuse(error.message)
        else:
            super().place(error)

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
        sound = all(each.is_sound for each in (self.group, self.bento, self.object, self.start))
        return spec if sound else None

    def wanted(self, spec: DeploymentSpec) -> tuple[DeploymentSpec, list[str]]:
        """What is to be other than it is, and what as if it had never been said, see `wanted_changes`."""
        return wanted_changes(self._before or DeploymentSpec(name=spec.name), spec)

    @property
    def line(self) -> str:
        """The magic line that does the same; "" while a field is wrong, or nothing is to be changed."""
        spec = self.read()
        if spec is None or not self._is_change(spec):
            return ""
        target, sample = self._target_words(), self._sample_words()
        wanted, reset = self.wanted(spec)
        try:
            if self._before is None:
                return deploy_line(spec, target, sample, cloud=self.elsewhere)
            is_other = spec.mode is not self._before.mode
            same_bento = self.source.value == "bento" and spec.bento == self._before.bento
            target = "" if same_bento else target
            return update_line(wanted, target, sample, mode=is_other, reset=reset, cloud=self.elsewhere)
        except ValueError:  # something that no line can hold, but a call can
            return ""

    @property
    def call(self) -> str:
        """The Python call that does the same; "" while a field is wrong, or nothing is to be changed."""
        spec = self.read()
        if spec is None or not self._is_change(spec):
            return ""
        target = self._target_words()
        shown = target if self.source.value == "object" else repr(target)
        wanted, reset = self.wanted(spec)
        return deploy_call(wanted, shown, self._sample_words(), reset=reset, cloud=self.elsewhere)

    def _is_change(self, spec: DeploymentSpec) -> bool:
        return self._before is None or self.source.value == "object" or bool(self.changes(spec))

    def _target_words(self) -> str:
        return str(self.object.value if self.source.value == "object" else self.bento.value)

    def _sample_words(self) -> str:
        return expression(self.sample.value) if self.source.value == "object" else ""

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
            self.submit.description = "Deploy" if self._before is None else "Apply changes"
            self.submit.disabled = spec is None or self.busy or not self._is_change(spec)
            self.again.disabled = self.busy
            if not all(field.is_sound for field in self._advanced):
                self.more.value = True  # what is wrong is to be seen
            self.code.value = code_html([("The same as a line", self.line), ("in Python", self.call)])

    def _difference_html(self, spec: DeploymentSpec | None) -> str:
        if spec is None or self._before is None:
            return ""
        rows = [[LABELS.get(place, place), now, then] for place, now, then in differences(self._before, spec)]
        table = Table(["what changes", "now", "then"], rows, empty="nothing changes yet")
        return f'<div role="status">{table._repr_mimebundle_()["text/html"]}</div>'

    def _starts(self) -> list[tuple[str, Any]]:
        names = sorted(self._taken)
        return [
            ("nothing: a new deployment", ("new", "")),
            *((f"{name}: change it", ("update", name)) for name in names),
            *((f"{name}: a copy of it", ("clone", name)) for name in names),
        ]

    def _start_chosen(self) -> None:
        before, self._chosen_as = self._chosen_as or self._filled_in(), None
        self.later(lambda: self._started(before), "start")

    _chosen_as: Mapping[str, Any] | None = None

    def _entered(self) -> dict[str, fields.Field]:
        """What is loaded from a deployment, by name; its Bento comes after what is to be deployed."""
        return {**self.group.fields, "source": self.source, "bento": self.bento}

    def _filled_in(self) -> dict[str, Any]:
        return {name: field.value for name, field in self._entered().items()}

    def _started(self, before: Mapping[str, Any] | None = None) -> None:
        """Load what is chosen to start from.

        Args:
            before: What the fields said as it was chosen, or was loaded last: what was filled in since then
                stays.
        """
        how, name = self.start.value
        try:
            found = self._found(name) if name else None
            if name and found is None:
                raise MagicUsageError(
                    f"there is no deployment {name!r}", hint=f"there are: {', '.join(self._taken)}"
                )
        except BentoJupyterError as error:
            self.start.problem = error.message  # until it is loaded the fields are those of another one
            self.refresh()
            raise
        self.start.problem = ""
        with self._lock:
            self._before = None
            self.group["name"].disabled = how == "update"
            if found is not None:
                self._before = found if how == "update" else None
                mine = self._filled_in()
                self.source.value, self.bento.value = "bento", found.bento
                self.group.value = found.model_copy(
                    update={} if how == "update" else {"name": self._free_name(name)}
                )
                self._loaded = self._filled_in()
                for place, field in self._entered().items():
                    if before is not None and (how, place) != ("update", "name"):
                        kept = rebased(before[place], mine[place], self._loaded[place])
                        if kept != field.value:
                            field.value = kept
            min_follows_mode(self.group)
            self.refresh()

    def _found(self, name: str) -> DeploymentSpec | None:
        """What a deployment is asked to be, without whose it is and when it ends: these are said anew."""
        found = self.reach().spec(name)
        if found is None:
            return None
        labels = {key: each for key, each in found.labels.items() if key not in OF_ONE}
        return found.model_copy(update={"labels": labels})

    def _mode_changed(self) -> None:
        min_follows_mode(self.group)
        same = self._before is not None and self.group["mode"].value is self._before.mode
        if self._before is not None and same and self.group["min"].value is None:
            self.group["min"].value = self._before.min  # as it is, not as it would be by default

    def _bento_changed(self) -> None:
        if self._before is None and not self.group["name"].value:
            self.group["name"].value = self._free_name(self.bento.value)
        self.refresh()

    def _gather(self) -> None:
        """Ask for what there is now: deployments, Bentos, objects, instance types, secrets."""
        cloud = self.reach()
        self._taken = {view.name for view in cloud.deployments()}
        self._bentos = offered_bentos(self.namespace, cloud)
        self._objects = servable(self.namespace)
        self._types = {item.name: item for item in cloud.instance_types()}
        self._options["instance_type"] = [(type_words(item), item.name) for item in self._types.values()]
        self._options["bento"] = [(tag, tag) for tag, _ in self._bentos]
        self._options["secrets"] = [(name, name) for name in cloud.secrets()]

    def _look(self) -> None:
        """Offer what there is now; what is chosen and changed stays, what others have changed is shown."""
        before, problem = self._before, self.start.problem
        self._gather()
        self._offer()
        if before is not None and before.name not in self._taken:
            self.tell(
                f"{before.name} was deleted meanwhile", hint="what is here would be a new one", wrong=False
            )
        elif any(field.own_problem() for field in self.group.fields.values()):
            self.refresh()  # a name that is given twice would be lost
        elif before is not None or problem:
            self._started(self._loaded or None)

    def _offer(self) -> None:
        kinds, secrets = self.group["instance_type"], self.group["secrets"]
        assert isinstance(kinds, Choice)
        assert isinstance(secrets, Several)
        kinds.offer([(DEFAULT_TYPE, None), *self._options["instance_type"]], keep=True)
        secrets.offer(self._options["secrets"], keep=True)
        self.start.offer(self._starts())
        self.bento.offer(self._bentos)
        objects = [(each.label, each.name) for each in self._objects] or [("none", "")]
        self.object.offer(objects, keep=bool(self.object.value))
        self.sample.offer([each.name for each in data(self.namespace)])
        self._room_shown()

    def _room_shown(self) -> None:
        """Say what the machine can take of what is asked for."""
        if self.cloud.embedded:
            kind = self._types.get(self.group["instance_type"].value or "")
            self.group["instance_type"].remark = room_words(kind, self.group["max"].value)

    def _services_named(self) -> None:
        """Say which services a Bento has, for the settings of each."""
        try:
            names = [each.name for each in stored(self.bento.value).info.services] if self.bento.value else []
        except NotFoundError:  # it is in the cloud only
            names = []
        self.group["services"].remark = f"services of this Bento: {', '.join(names)}" if names else ""

    def _look_for_names(self) -> None:
        taken = {view.name for view in self.reach().deployments()}
        if taken != self._taken:
            self._taken = taken
            self.start.offer(self._starts())
            self.refresh()

    def _free_name(self, tag: str) -> str:
        return free_name(tag or "", self._taken)

    # --- doing -------------------------------------------------------------------------------

    def _deploy(self) -> None:
        spec = self.read()
        if spec is None:
            self.refresh()
            self.tell("mend the fields that are marked")
            return
        self._check_name(spec.name)
        asked = self._filled_in()
        wanted, reset = self.wanted(spec)
        given = {name: getattr(wanted, name) for name in wanted.model_fields_set}
        target: Any = spec.bento
        steps = list(workspace.DEPLOY_STEPS)
        options: dict[str, Any] = {}
        if self.source.value == "object":
            target = evaluated(self.object.value, self.namespace, "object")
            options["sample"] = evaluated(self.sample.value, self.namespace, "sample")
            steps = ["build", "prove", *steps]
        verb = "Deploying" if self._before is None else "Changing"
        try:
            with self.progress_of(f"{verb} {spec.name}", steps) as progress:
                self.deployment = workspace.deploy(
                    target, **given, **options, reset=reset, cloud=self.where, progress=progress
                )
        except BaseException:
            self._go_on_with(spec.name, asked)
            raise
        self.result.value = deployment_card(self.deployment.status())["text/html"]
        self._taken.add(spec.name)
        self.start.offer(self._starts())
        if self._before is not None:
            self._started(asked)  # what it is now, and what was typed meanwhile

    def _go_on_with(self, name: str, asked: Mapping[str, Any]) -> None:
        """What failed or was stopped may be there: then it is what the form changes from now on.

        Args:
            name: Of the deployment.
            asked: What the fields said as it was asked for.
        """
        with suppress(BentoJupyterError):
            if self._found(name) is None:
                return
            if self._before is not None:
                self._started(self._loaded)
                return
            self._taken.add(name)
            self.start.offer(self._starts())
            self._chosen_as = asked
            self.start.value = ("update", name)

    def _check_name(self, name: str) -> None:
        """Look whether the name is still what the form takes it for: `deploy` makes and changes alike.

        Raises:
            ConflictError: A new deployment is wanted, and somebody has made one of this name; or one is to be
                changed that somebody has changed since it was loaded.
            NotFoundError: A deployment is to be changed that is gone.
        """
        found = self._found(name)
        there = found is not None
        if found is not None and self._before is not None and found != self._before:
            others = [LABELS.get(place, place) for place, _, _ in differences(self._before, found)]
            self._started(self._loaded)
            raise ConflictError(
                f"{name} was changed meanwhile: {', '.join(others)}",
                hint="nothing was done; see what changes now, and apply it again",
            )
        if there and self._before is None:
            self._taken.add(name)
            self.start.offer(self._starts())
            raise ConflictError(
                f"the name {name!r} was taken meanwhile", hint="nothing was done; 'Start from' can change it"
            )
        if not there and self._before is not None:
            raise NotFoundError(
                f"{name} was deleted meanwhile", hint="nothing was done; 'Look again' shows what there is"
            )
