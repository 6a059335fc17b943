"""Lists of what a cloud has, and of what happened to a deployment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

from ..insight import RevisionChange, RevisionView
from ..spec import utc_now
from ..views import Event, ImageView, InstanceType, InstanceView
from .images import KINDS
from .tables import Listing, Table
from .words import age, cold_start_words, duration, size

__all__ = [
    "bentos_table",
    "clouds_table",
    "events_table",
    "images_table",
    "instance_types_table",
    "instances_table",
    "models_table",
    "revisions_table",
    "secrets_table",
]


def bentos_table(local: Sequence[dict[str, Any]], remote: Sequence[dict[str, Any]]) -> Table:
    """Bentos of the local store and of the cloud, one row per tag."""
    rows: dict[str, list[str]] = {}
    for where, items in (("local", local), ("cloud", remote)):
        for item in items:
            row = rows.setdefault(item["tag"], [item["tag"], size(item["size"]), age(item["created_at"]), ""])
            row[3] = f"{row[3]}, {where}" if row[3] else where
    return Table(
        ["tag", "size", "age", "where"],
        list(rows.values()),
        empty="no Bentos yet: %bento_build makes one",
        at=utc_now(),
    )


def models_table(items: Sequence[dict[str, Any]]) -> Listing[dict[str, Any]]:
    """Models of the cloud."""
    return Listing(
        items,
        {
            "tag": lambda item: item["tag"],
            "size": lambda item: size(item["size"]),
            "age": lambda item: age(item["created_at"]),
        },
        empty="no models yet: pushing a Bento brings its models",
    ).as_of()


def instance_types_table(items: Sequence[InstanceType]) -> Listing[InstanceType]:
    """Instance types of the cloud."""
    return Listing(
        items,
        {
            "name": lambda item: item.name,
            "CPUs": lambda item: f"{item.cpu:g}",
            "memory": lambda item: size(item.memory_bytes),
            "GPUs": lambda item: item.gpu or "",
            "price": lambda item: item.price,
            "description": lambda item: item.description,
        },
        empty="no instance types",
    ).as_of()


def secrets_table(names: Sequence[str]) -> Listing[str]:
    """Names of the cloud's secrets; their values are shown nowhere."""
    return Listing(names, {"name": str}, empty="no secrets: `bentoml secret create` makes one").as_of()


def clouds_table(items: Sequence[Mapping[str, str]]) -> Listing[Mapping[str, str]]:
    """Clouds that one is logged in to, without their tokens."""
    return Listing(
        items,
        {key: itemgetter(key) for key in ("name", "kind", "endpoint", "current")},
        empty="no clouds: %bento_login connects to one",
    ).as_of()


def images_table(items: Sequence[ImageView]) -> Listing[ImageView]:
    """Images of the cloud: environments of Python packages, and OCI images."""
    return Listing(
        items,
        {
            "key": lambda item: item.key,
            "kind": lambda item: KINDS.get(item.kind, item.kind),
            "status": lambda item: item.status,
            "digest": lambda item: item.digest[:19],
            "size": lambda item: size(item.size_bytes),
            "built in": lambda item: "" if item.seconds is None else duration(item.seconds),
            "used by": lambda item: ", ".join(item.used_by),
            "why": lambda item: item.reason,
        },
        empty="no images yet: the first deployment of a Bento makes its own",
    ).as_of()


def instances_table(items: Sequence[InstanceView]) -> Listing[InstanceView]:
    """Instances of a deployment."""
    return Listing(
        items,
        {
            "instance": lambda item: item.id,
            "state": lambda item: item.state.value,
            "age": lambda item: age(item.started_at),
            "memory": lambda item: size(item.memory_bytes),
            "CPUs": lambda item: "" if item.cpu is None else f"{item.cpu:.2f}",
            "in flight": lambda item: item.in_flight,
            "cold start": lambda item: cold_start_words(item.cold_start),
            "why": lambda item: item.reason,
        },
        empty="no instances now",
    ).as_of()


def revisions_table(items: Sequence[RevisionView]) -> Listing[RevisionView]:
    """Revisions of a deployment and what changed."""
    return Listing(
        items,
        {
            "revision": lambda item: f"{item.number}{' (active)' if item.active else ''}",
            "age": lambda item: age(item.created_at),
            "Bento": lambda item: item.bento,
            "what changed": lambda item: "\n".join(
                [*([item.note] if item.note else []), *map(_change_words, item.changes)]
            ),
        },
        empty="no revisions",
    ).as_of()


def events_table(items: Sequence[Event]) -> Listing[Event]:
    """What happened, newest first."""
    return Listing(
        items,
        {
            "ago": lambda item: age(item.at),
            "revision": lambda item: "" if item.revision is None else item.revision,
            "what": lambda item: item.message,
        },
        empty="nothing has happened yet",
    ).as_of()


def _change_words(change: RevisionChange) -> str:
    if change.before is None and change.after is None:
        return f"{change.field} {change.change}"
    return f"{change.field}: {change.before} -> {change.after}"
