"""Promote: take a deployment to another cloud, the very same Bento with its configuration."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..client import contents
from ..client.changing import send
from ..client.cloud import Cloud
from ..client.deployment import Deployment
from ..client.session import chosen
from ..display.progress import Progress
from ..display.tables import card_bundle
from ..errors import ConflictError, InvalidRequestError, NotFoundError
from ..spec import OWNER_LABEL
from .owner import owner
from .seeing import deployment

if TYPE_CHECKING:
    from ..spec import DeploymentSpec
    from ..views import InstanceType

__all__ = ["Promotion", "promote", "promotion"]


@dataclass(frozen=True)
class Promotion:
    """A deployment that may go to another cloud: what will differ there, and what stands against it.

    Attributes:
        spec: What is wanted there.
        source: The cloud it is in.
        target: The cloud it goes to.
        rows: What is looked at: its name, how it is here, how it will be there.
        problems: What stands against it, a line each; empty when nothing does.
    """

    spec: DeploymentSpec
    source: Cloud
    target: Cloud
    rows: tuple[tuple[str, str, str], ...]
    problems: tuple[str, ...] = field(default=())

    def __repr__(self) -> str:
        text: str = self._repr_mimebundle_()["text/plain"]
        return text

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        rows = [(what, here if here == there else f"{here} -> {there}") for what, here, there in self.rows]
        rows += [("refused" if index == 0 else "", text) for index, text in enumerate(self.problems)]
        if not self.problems:
            line = f"%bento_promote {self.spec.name} --cloud {self.target.name}"
            rows.append(("to do it", f"{line} --from {self.source.name} --yes"))
        data = {
            "name": self.spec.name,
            "bento": self.spec.bento,
            "source": self.source.name,
            "target": self.target.name,
            "rows": [list(row) for row in self.rows],
            "problems": list(self.problems),
        }
        badge = f"{self.source.name} -> {self.target.name}"
        return card_bundle(f"Promotion of {self.spec.name}", badge, rows, data)

    def run(self, *, wait: bool = True) -> Deployment:
        """Do it: its Bentos are taken there, compared file by file with what the source has, and deployed.

        Args:
            wait: Return when it answers requests; False = as soon as the cloud has taken it.

        Raises:
            InvalidRequestError: Something stands against it (`problems`); nothing has been changed.
            ConflictError: The target has another Bento under this tag; nothing is deployed.
            DeploymentError: It did not come up there.
        """
        if self.problems:
            raise InvalidRequestError(
                f"{self.target.name} cannot take {self.spec.name}: {'; '.join(self.problems)}",
                hint="%bento_promote ... --dry-run shows all of it",
            )
        canaries = [version.bento for version in self.spec.canary.versions.values()]
        dep = Deployment(self.target, self.spec.name)
        with Progress(f"Promoting {self.spec.name}", ["push", "compare", "deploy"]) as shown:
            shown.goes_on = f"%bento_status {self.spec.name} --cloud {self.target.name} shows how far it came"
            for tag in dict.fromkeys([self.spec.bento, *canaries]):
                self._take(tag, shown)
            with shown.step("deploy"):
                self._deploy()
                if wait:
                    dep.wait(progress=lambda view: shown.detail(view.reason or view.status.value))
        return dep

    def _take(self, tag: str, shown: Progress) -> None:
        """Bring a Bento to the target, and see that it is the same there."""
        with shown.step("push"):
            contents.pull(self.source, tag, progress=shown.detail)
            sent = self.target.push(tag, progress=shown.detail)
            shown.detail(f"{tag} in {self.target.name}{'' if sent else ', was there already'}")
        with shown.step("compare"):
            here, there = contents.digest(self.source, tag), contents.digest(self.target, tag)
            if here != there:
                raise ConflictError(
                    f"{self.target.name} has another Bento {tag}: {there[:12]}, not {here[:12]}",
                    hint="build it again, which gives it a new version, deploy that and promote it",
                )
            shown.detail(f"the same files, {here[:12]}")

    def _deploy(self) -> None:
        """Ask for the configuration, whole: nothing stays of what was asked for there before."""
        service = self.target.bento(self.spec.bento)["service"]
        send(self.target, self.spec, service, self.target.spec(self.spec.name))


def promotion(
    name: str,
    *,
    to: Cloud | str,
    source: Cloud | str | None = None,
    instance_type: str | None = None,
) -> Promotion:
    """What promoting a deployment means; nothing is changed.

    Args:
        name: Name of the deployment.
        to: Cloud to take it to, or the name of its context.
        source: Cloud it is in; None = the current one.
        instance_type: Instance type to use there; None = the one of the same name.

    Raises:
        NotFoundError: The source has no such deployment.
        InvalidRequestError: Both clouds are the same.

    Example:
        >>> promotion("iris", to="prod")  # doctest: +SKIP
    """
    here, there = chosen(source), chosen(to)
    if here.endpoint == there.endpoint:
        raise InvalidRequestError(
            f"{name} is to go from {here.name} to {there.name}, which are the same cloud",
            hint="say where it is with --from NAME; %bento_login --list shows the clouds",
        )
    deployment(name, cloud=here)  # says which names are close when there is none
    spec = here.spec(name)
    if spec is None:
        raise NotFoundError(f"{here.name} has no deployment {name!r}", status_code=404)
    labels = {**spec.labels, OWNER_LABEL: owner(short=not there.embedded)}
    wanted = spec.model_copy(update={"instance_type": instance_type or spec.instance_type, "labels": labels})
    canaries = wanted.canary.versions.values()
    types_here = {item.name: item for item in here.instance_types()}
    types_there = {item.name: item for item in there.instance_types()}
    secrets_there = there.secrets()
    needed = [*wanted.secrets, *(secret for each in canaries for secret in each.secrets or [])]
    missing = [secret for secret in dict.fromkeys(needed) if secret not in secrets_there]
    problems = []
    others = [*wanted.services.values(), *(each for one in canaries for each in one.services.values())]
    for asked in dict.fromkeys([wanted.instance_type, *(each.instance_type for each in others)]):
        if asked is not None and asked not in types_there:
            mend = "--instance-type" if asked == wanted.instance_type else "deploy it here with one of"
            problems.append(f"no instance type {asked!r} there; {mend} {'|'.join(types_there)}")
    if wanted.embedded_only and not there.embedded:
        problems.append(f"{', '.join(wanted.embedded_only)}: only the embedded cloud does that")
    if missing:
        problems.append(f"no secret {', '.join(missing)} there; bentoml secret create, logged in there")
    before = there.spec(name)
    old, new = _size(types_here, spec.instance_type), _size(types_there, wanted.instance_type)
    rows: list[tuple[str, str, str]] = [
        ("deployment", f"runs {spec.bento}", "new" if before is None else f"runs {before.bento} now"),
        ("instance type", old[0], new[0]),
        ("price", old[1], new[1]),
        ("mode", spec.mode.value, wanted.mode.value),
        ("scaling", _scaling(spec), _scaling(wanted)),
        ("secrets", ", ".join(spec.secrets), _there(wanted.secrets, missing)),
        ("services", ", ".join(spec.services), ", ".join(wanted.services)),
        ("canaries", ", ".join(spec.canary.versions), ", ".join(wanted.canary.versions)),
        ("variables", ", ".join(spec.envs), ", ".join(wanted.envs)),
    ]
    return Promotion(wanted, here, there, tuple(rows), tuple(problems))


def promote(
    name: str,
    *,
    to: Cloud | str,
    source: Cloud | str | None = None,
    instance_type: str | None = None,
    wait: bool = True,
) -> Deployment:
    """Take a deployment to another cloud: the very same Bento, checked, with its configuration.

    `promotion(...)` shows first what will differ there. Arguments as there.

    Args:
        name: See `promotion`.
        to: See `promotion`.
        source: See `promotion`.
        instance_type: See `promotion`.
        wait: Return when it answers requests; False = as soon as the cloud has taken it.

    Returns:
        The deployment in the other cloud.

    Raises:
        InvalidRequestError: An instance type or secret is missing there; nothing has been changed.
        ConflictError: The other cloud has another Bento under this tag; nothing is deployed.

    Example:
        >>> promote("iris", to="prod")  # doctest: +SKIP
    """
    return promotion(name, to=to, source=source, instance_type=instance_type).run(wait=wait)


def _size(types: dict[str, InstanceType], name: str | None) -> tuple[str, str]:
    """An instance type and its price, in words."""
    from ..display.words import size

    if name is None:
        return "the cloud's default", "not known"
    found = types.get(name)
    if found is None:
        return f"{name}: not there", "not known"
    gpus = f", {found.gpu} GPU" if found.gpu else ""
    return f"{name} ({found.cpu:g} CPU, {size(found.memory_bytes)}{gpus})", found.price or "not known"


def _scaling(spec: DeploymentSpec) -> str:
    scaling = spec.scaling
    words = f"{scaling.min} to {scaling.max}"
    return words + (f", {scaling.concurrency} requests each" if scaling.concurrency else "")


def _there(secrets: list[str], missing: list[str]) -> str:
    return ", ".join(f"{name} (missing)" if name in missing else name for name in secrets)
