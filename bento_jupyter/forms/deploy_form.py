"""The form that deploys a Bento: type first, then name, Bento, instances, access; the card in the end."""

from __future__ import annotations

import shlex
import threading
from html import escape
from typing import Any

import ipywidgets
from pydantic import ValidationError

from .. import workspace
from ..display.cards import deployment_card
from ..display.progress import Progress
from ..display.words import age, size
from ..errors import BentoJupyterError
from ..spec import DeploymentSpec, Mode
from . import fields

__all__ = ["DeployForm"]

#: The front end sends a click at once but holds a change back while an earlier one is under way, so
#: values are read this long after the click.
SETTLE_SECONDS = 0.3


class DeployForm:
    """Deploys a Bento by hand.

    Args:
        namespace: The notebook's names; Bentos built in it are offered first.

    Attributes:
        deployment: The deployment it made; None until then.
    """

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.deployment: Any = None
        self._worker: threading.Thread | None = None
        cloud = workspace.current()
        bentos = _offered(namespace)
        self.mode = ipywidgets.RadioButtons(
            options=[(f"{mode.full_name}: {mode.meaning}", mode) for mode in Mode],
            value=Mode.ONLINE,
            description="Type",
            style={"description_width": "9em"},
            layout={"width": "max-content"},
        )
        self.bento = fields.choice("Bento", bentos or [("no Bento yet: %bento_build makes one", "")])
        self.name = fields.text(
            "Name",
            _free_name(self.bento.value, cloud),
            help_text="small letters, digits and '-'",
        )
        self.min = fields.number("Min instances", 1, least=0, most=100)
        self.max = fields.number("Max instances", 1, least=1, most=100)
        types = cloud.instance_types()
        self.instance_type = fields.choice(
            "Instance type",
            [
                (f"{item.name}: {item.cpu:g} CPU, {size(item.memory_bytes)}{_extra(item)}", item.name)
                for item in types
            ],
        )
        self.envs = fields.lines("Environment", placeholder="NAME=VALUE, one per line")
        self.protected = fields.flag("Access", "protected: callers need Authorization: Bearer <token>")
        self.submit = ipywidgets.Button(
            description="Deploy",
            button_style="primary",
            icon="rocket",
            tooltip="Deploy the Bento as described",
        )
        self.code = ipywidgets.HTML()
        self.message = ipywidgets.HTML()
        self.result = ipywidgets.HTML()
        self._by_name = {
            "name": self.name,
            "bento": self.bento,
            "min": self.min,
            "max": self.max,
            "instance_type": self.instance_type,
            "envs": self.envs,
        }
        self.widget = ipywidgets.VBox(
            [
                self.mode,
                self.name.box,
                self.bento.box,
                self.min.box,
                self.max.box,
                self.instance_type.box,
                self.envs.box,
                self.protected.box,
                ipywidgets.HBox([self.submit, self.message]),
                self.code,
                self.result,
            ]
        )
        self.widget.add_class("bento-deploy-form")
        self.mode.observe(self._mode_changed, "value")
        for field in [*self._by_name.values(), self.protected]:
            field.widget.observe(self._changed, "value")
        self.submit.on_click(self._clicked)
        self._changed()

    def __repr__(self) -> str:
        return (
            "A form for Jupyter front ends; in words: bento_jupyter.deploy(bento, name=..., mode=...) or "
            f"{self.line or '%bento_deploy'}"
        )

    def _repr_mimebundle_(self, **options: Any) -> Any:
        bundle = self.widget._repr_mimebundle_(**options)
        found = dict(bundle[0] if isinstance(bundle, tuple) else bundle)
        found["text/plain"] = repr(self)
        return found

    # --- reading -----------------------------------------------------------------------------

    @property
    def line(self) -> str:
        """The magic line that does the same; "" while a field is wrong."""
        spec = self._spec()
        if spec is None:
            return ""
        words = ["%bento_deploy", spec.bento, "--name", spec.name, "--mode", spec.mode.value]
        if spec.mode is Mode.ONLINE:
            words += ["--min", str(spec.min)]
        words += ["--max", str(spec.max)]
        words += ["--instance-type", spec.instance_type] if spec.instance_type else []
        for key in spec.envs:
            words += ["--env", f"{key}=..."]
        words += ["--protected"] if spec.protected else []
        return " ".join(shlex.quote(word) for word in words).replace("'%bento_deploy'", "%bento_deploy")

    def _spec(self) -> DeploymentSpec | None:
        """What the fields say, with each problem shown beside its field; None when there is one."""
        problems: dict[str, str] = {}
        envs: dict[str, str] = {}
        for row in self.envs.value.splitlines():
            key, equals, value = row.strip().partition("=")
            if row.strip() and not equals:
                problems["envs"] = f"{key!r}: write NAME=VALUE"
            elif row.strip():
                envs[key.strip()] = value
        if not self.bento.value:
            problems["bento"] = "build a Bento first"
        spec = None
        try:
            spec = DeploymentSpec(
                name=self.name.value.strip(),
                bento=self.bento.value or "",
                mode=self.mode.value,
                min=self.min.value,
                max=self.max.value,
                instance_type=self.instance_type.value,
                envs=envs,
                protected=self.protected.value,
            )
        except ValidationError as error:
            for item in error.errors():
                where = str(item["loc"][0]) if item["loc"] else "min"
                problems.setdefault(where, item["msg"].removeprefix("Value error, "))
        for name, field in self._by_name.items():
            field.problem = problems.get(name, "")
        return None if problems else spec

    # --- events ------------------------------------------------------------------------------

    def _mode_changed(self, _: Any) -> None:
        self.min.widget.value = 0 if self.mode.value is Mode.ON_DEMAND else max(1, self.min.value)
        self.min.widget.disabled = self.mode.value is Mode.ON_DEMAND
        self._changed()

    def _changed(self, _: Any = None) -> None:
        line = self.line
        self.submit.disabled = not line or self._busy
        self.code.value = f"<div>The same as a line: <code>{escape(line)}</code></div>" if line else ""

    @property
    def _busy(self) -> bool:
        return self._worker is not None and self._worker.is_alive()

    def _clicked(self, _: Any) -> None:
        if self._busy:
            return
        self.submit.disabled = True
        self.message.value = ""
        # Callbacks run in the kernel's main thread or a subshell's; neither may wait.
        self._worker = threading.Thread(target=self._deploy, name="bento-form", daemon=True)
        self._worker.start()

    def _deploy(self) -> None:
        threading.Event().wait(SETTLE_SECONDS)
        try:
            spec = self._spec()
            if spec is None:
                self.message.value = _alert("mend the fields that are marked")
                return
            progress = Progress(f"Deploying {spec.name}", workspace.DEPLOY_STEPS, sink=self._show)
            self.deployment = workspace.deploy(
                spec.bento,
                name=spec.name,
                mode=spec.mode,
                min=spec.min,
                max=spec.max,
                instance_type=spec.instance_type,
                envs=spec.envs,
                protected=spec.protected,
                progress=progress,
            )
            self.envs.widget.value = ""  # values may be secret, and widget state can be saved in the notebook
            self.result.value += deployment_card(self.deployment.status())["text/html"]
        except BentoJupyterError as error:
            self.message.value = _alert(f"{error.message} {f'({error.hint})' if error.hint else ''}")
        except Exception as error:  # a callback's exception would vanish
            self.message.value = _alert(f"{type(error).__name__}: {error}")
        finally:
            self._worker = None
            self._changed()

    def _show(self, progress: Progress) -> None:
        self.result.value = progress._repr_mimebundle_()["text/html"]


def _alert(said: str) -> str:
    return f'<span role="alert" style="color:var(--jp-error-color1,#b00020)">✕ {escape(said)}</span>'


def _extra(item: Any) -> str:
    gpu = f", {item.gpu} GPU" if item.gpu else ""
    return gpu + (f", {item.price}" if item.price else "")


def _offered(namespace: dict[str, Any]) -> list[tuple[str, str]]:
    """Bentos to choose from: those built in the notebook, then those of the local store, newest first."""
    local = {item["tag"]: item for item in workspace.local_bentos()}
    built = {value.tag: name for name, value in namespace.items() if isinstance(value, workspace.BuiltBento)}
    tags = [*[tag for tag in built if tag in local], *[tag for tag in local if tag not in built]]
    return [(f"{tag} ({age(local[tag]['created_at'])} old)", tag) for tag in tags]


def _free_name(tag: str, cloud: Any) -> str:
    """A name after the Bento that no deployment has yet."""
    base = (tag or "").partition(":")[0].replace("_", "-")
    taken = {view.name for view in cloud.deployments()}
    number = 2
    name = base
    while base and name in taken:
        name, number = f"{base}-{number}", number + 1
    return name
