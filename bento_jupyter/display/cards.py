"""How deployments and clouds look in a cell."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ..spec import utc_now
from ..views import CloudView, DeploymentView, NodeView, ZygoteView
from .tables import Listing, card_bundle
from .words import age, cold_start_words, duration, size, status_tone, status_words

__all__ = [
    "CloudCard",
    "DeploymentCard",
    "cloud_card",
    "deployment_card",
    "deployments_table",
    "running_table",
    "status_line",
]


def deployment_card(view: DeploymentView) -> dict[str, Any]:
    """The mimebundle of a deployment."""
    limits = f"{view.scaling.min} to {view.scaling.max}"
    if view.scaling.concurrency:
        limits += f", {view.scaling.concurrency} requests each at a time"
    rows = [
        ("mode", view.mode.full_name),
        ("why", view.reason),
        ("health", "answers requests" if view.healthy else "does not answer requests"),
        ("URL", view.url or ""),
        ("access", "needs Authorization: Bearer <token>" if view.protected else "open on this machine"),
        ("Bento", view.bento),
        ("instances", f"{view.ready} ready of {view.wanted} wanted ({limits})"),
        ("", instances_words(view)),
        ("instance type", view.instance_type),
        ("requests", _requests_words(view)),
        ("cold start", cold_start_words(view.last_cold_start)),
        ("last request", f"{age(view.last_request_at)} ago" if view.last_request_at else ""),
        ("revision", f"{view.revision}, created {age(view.created_at)} ago"),
        ("owner", view.owner),
        ("ends", _in(view.expires_at) if view.expires_at else ""),
    ]
    data = view.model_dump(mode="json", exclude={"event_id"})
    badge, tone = status_words(view.status), status_tone(view.status)
    return card_bundle(f"Deployment {view.name}", badge, rows, data, tone=tone, at=utc_now())


class DeploymentCard(DeploymentView):
    """How a deployment is, as a cell shows it."""

    @classmethod
    def of(cls, view: DeploymentView) -> DeploymentCard:
        """The same, to be shown."""
        return cls.model_construct(**dict(view))

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return deployment_card(self)


def status_line(view: DeploymentView) -> str:
    """How a deployment is, in a line that changes with it."""
    parts = [f"{view.name}: {status_words(view.status)}", f"{view.ready} of {view.wanted} instances ready"]
    if view.in_flight or view.queued:
        parts.append(f"{view.in_flight} in flight, {view.queued} waiting")
    if view.requests:
        parts.append(f"{view.requests} answered")
    return ", ".join(parts) + (f" ({view.reason})" if view.reason else "")


def deployments_table(views: Sequence[DeploymentView]) -> Listing[DeploymentView]:
    """A row per deployment."""
    return Listing(
        views,
        {
            "name": lambda view: view.name,
            "status": lambda view: status_words(view.status),
            "mode": lambda view: view.mode.value,
            "instances": lambda view: f"{view.ready}/{view.wanted}",
            "Bento": lambda view: view.bento,
            "URL": lambda view: view.url or "",
            "age": lambda view: age(view.created_at),
        },
        empty="no deployments yet: %bento_deploy OBJECT --sample DATA makes one",
    ).as_of()


def running_table(views: Sequence[DeploymentView]) -> Listing[DeploymentView]:
    """What runs: how long, when it was asked last, who made it, and when it ends by itself."""
    return Listing(
        views,
        {
            "name": lambda view: view.name,
            "status": lambda view: status_words(view.status),
            "instances": lambda view: f"{view.ready}/{view.wanted}",
            "age": lambda view: age(view.created_at),
            "last request": lambda view: _ago(view.last_request_at),
            "owner": lambda view: view.owner or view.creator,
            "ends": lambda view: _in(view.expires_at),
        },
        empty="nothing runs: what is on demand starts with its next request",
    ).as_of()


def _ago(at: datetime | None) -> str:
    return "none yet" if at is None else f"{age(at)} ago"


def _in(at: datetime | None) -> str:
    if at is None:
        return "when told to"
    left = (at - utc_now()).total_seconds()
    return f"in {duration(round(left))}" if left > 0 else "now"


def cloud_card(view: CloudView) -> dict[str, Any]:
    """The mimebundle of the embedded cloud."""
    rows = [
        ("endpoint", view.endpoint),
        ("process", f"{view.pid}, up {age(view.started_at)}"),
        ("deployments", str(view.deployments)),
        ("instances", str(view.instances)),
        ("engine", view.engine),
        ("nodes", nodes_words(view.nodes)),
        ("zygotes", zygotes_words(view.zygotes)),
        ("version", view.version),
    ]
    data = view.model_dump(mode="json", exclude={"event_id"})
    return card_bundle("Embedded cloud", "● running", rows, data, tone="good", at=utc_now())


def nodes_words(nodes: Sequence[NodeView]) -> str:
    """A line per machine: what it has, and how many instances it runs."""
    lines = []
    for each in nodes:
        gpus = f", {each.gpus} GPU ({each.free_gpus} free)" if each.gpus else ""
        runs = f"{len(each.instances)} instance{'' if len(each.instances) == 1 else 's'}"
        lines.append(f"{each.name}: {each.cpus:g} CPU, {size(each.memory_bytes)}{gpus}, {runs}")
    return "\n".join(lines) or "none"


def zygotes_words(zygotes: Sequence[ZygoteView]) -> str:
    """A line per zygote: for whom it is kept warm, and at what cost."""
    lines = []
    for each in zygotes:
        users = ", ".join(dict.fromkeys(user.partition("/")[0] for user in each.users)) or "nobody"
        lines.append(
            f"{each.pid} for {users}: {size(each.memory_bytes)}, {each.modules} modules imported, "
            f"{each.forks} instances forked"
        )
    return "\n".join(lines) or "none are kept warm"


class CloudCard:
    """The embedded cloud as a cell shows it.

    Args:
        view: What it says of itself; None when it does not run.
    """

    def __init__(self, view: CloudView | None) -> None:
        self.view = view

    def __repr__(self) -> str:
        text: str = self._repr_mimebundle_()["text/plain"]
        return text

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        if self.view is None:
            rows = [("start it", "%bento_cloud start")]
            return card_bundle("Embedded cloud", "○ not running", rows, None, at=utc_now())
        return cloud_card(self.view)


def instances_words(view: DeploymentView) -> str:
    """A line per instance."""
    lines = []
    for instance in view.instances:
        parts = [instance.id, instance.state.value, f"{age(instance.started_at)} old"]
        if instance.memory_bytes:
            parts.append(size(instance.memory_bytes))
        if instance.reason:
            parts.append(instance.reason)
        lines.append(", ".join(parts))
    return "\n".join(lines)


def _requests_words(view: DeploymentView) -> str:
    words = f"{view.requests} answered"
    if view.errors:
        words += f", {view.errors} of them failed"
    if view.in_flight or view.queued:
        words += f"; {view.in_flight} in flight, {view.queued} waiting"
    return words
