"""How deployments, Bentos and clouds look in a cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..views import CloudView, ColdStart, DeploymentView, ZygoteView
from .tables import Table, card_bundle
from .words import age, duration, size, status_words

__all__ = [
    "CloudCard",
    "cloud_card",
    "cold_start_words",
    "deployment_card",
    "deployments_table",
    "instances_words",
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
        ("revision", f"{view.revision}, created {age(view.created_at)} ago"),
    ]
    return card_bundle(
        f"Deployment {view.name}",
        status_words(view.status),
        rows,
        view.model_dump(mode="json", exclude={"event_id"}),
    )


def deployments_table(views: Sequence[DeploymentView]) -> Table:
    """A row per deployment."""
    return Table(
        ["name", "status", "mode", "instances", "Bento", "URL", "age"],
        [
            [
                view.name,
                status_words(view.status),
                view.mode.value,
                f"{view.ready}/{view.wanted}",
                view.bento,
                view.url or "",
                age(view.created_at),
            ]
            for view in views
        ],
        empty="no deployments yet: %bento_deploy OBJECT --sample DATA makes one",
    )


def cloud_card(view: CloudView) -> dict[str, Any]:
    """The mimebundle of the embedded cloud."""
    rows = [
        ("endpoint", view.endpoint),
        ("process", f"{view.pid}, up {age(view.started_at)}"),
        ("deployments", str(view.deployments)),
        ("instances", str(view.instances)),
        ("zygotes", zygotes_words(view.zygotes)),
        ("version", view.version),
    ]
    return card_bundle(
        "Embedded cloud", "● running", rows, view.model_dump(mode="json", exclude={"event_id"})
    )


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
            return card_bundle("Embedded cloud", "○ not running", [("start it", "%bento_cloud start")], None)
        return cloud_card(self.view)


def cold_start_words(cold_start: ColdStart | None) -> str:
    """`1.42 s: process 30 ms, imports 900 ms, ...`."""
    if cold_start is None:
        return ""
    phases = ", ".join(f"{name} {duration(seconds)}" for name, seconds in cold_start.phases.items())
    return f"{cold_start.seconds:.2f} s" + (f" ({phases})" if phases else "")


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
