"""What one sees of a cloud beside how it is now: revisions, metrics, packages and garbage.

As `views.py`, whose vocabulary this goes on with: payloads of `/api/bj/v1`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from .spec import Model
from .views import ColdStart

__all__ = [
    "GarbageItem",
    "GarbageView",
    "InstanceColdStart",
    "MetricsPoint",
    "MetricsView",
    "PackageView",
    "RevisionChange",
    "RevisionView",
]


class RevisionChange(Model):
    """One field in which a revision differs from the one before it.

    Attributes:
        field: Its path, e.g. `services.Iris.scaling.max_replicas` or `envs.GREETING`.
        change: added, removed or changed.
        before: What it was, as JSON; None where that is not shown: values of environment variables never are.
        after: What it is, likewise.
    """

    field: str
    change: str
    before: Any = None
    after: Any = None


class RevisionView(Model):
    """What a deployment was asked to be at one time.

    Attributes:
        number: From 1.
        active: It is what the deployment should be now.
        bento: Tag of its Bento.
        note: Why it was made, in words; "" for a plain change.
        created_at: When it was made.
        changes: What differs from the revision before; empty for the first.
    """

    number: int
    active: bool
    bento: str
    note: str = ""
    created_at: datetime
    changes: list[RevisionChange] = Field(default_factory=list)


class MetricsPoint(Model):
    """What happened in one second, or one minute.

    Attributes:
        at: Its beginning.
        requests: Requests answered in it.
        errors: Those of them answered with 5xx.
        in_flight: The most requests that were worked on at a time.
        queued: The most that waited.
        ready: The most instances that were ready.
        latency: Seconds within which 50, 95 and 99 % of its requests were answered, queue and cold start
            included: `{"p50": 0.01, ...}`; empty without requests.
    """

    at: datetime
    requests: int = 0
    errors: int = 0
    in_flight: int = 0
    queued: int = 0
    ready: int = 0
    latency: dict[str, float] = Field(default_factory=dict)


class InstanceColdStart(ColdStart):
    """A cold start of one instance.

    Attributes:
        instance: Its id.
    """

    instance: str


class MetricsView(Model):
    """How a deployment has met its requests.

    Attributes:
        requests: Requests answered since it was created or the cloud started.
        errors: Those of them answered with 5xx.
        in_flight: Requests being worked on now.
        queued: Requests that wait now.
        ready: Instances that are ready now.
        latency: Quantiles over all those requests, see `MetricsPoint`.
        cold_starts: The newest, oldest first.
        step: Seconds that each point stands for.
        points: The points, oldest first. Seconds or minutes in which nothing happened are left out: what a
            point says of `in_flight`, `queued` and `ready` holds until the next one.
    """

    requests: int = 0
    errors: int = 0
    in_flight: int = 0
    queued: int = 0
    ready: int = 0
    latency: dict[str, float] = Field(default_factory=dict)
    cold_starts: list[InstanceColdStart] = Field(default_factory=list)
    step: int = 1
    points: list[MetricsPoint] = Field(default_factory=list)


class PackageView(Model):
    """A Bento or a model in the cloud's registry.

    Attributes:
        tag: `name:version`.
        digest: SHA-256 (hex) of its archive; "" while it has no content.
        size_bytes: Size of that archive.
        status: pending, uploading, success or failed.
        reason: Why the upload failed; "" otherwise.
        used_by: Deployments that run this Bento, or Bentos that need this model.
        created_at: When it was registered.
    """

    tag: str
    digest: str = ""
    size_bytes: int = 0
    status: str
    reason: str = ""
    used_by: list[str] = Field(default_factory=list)
    created_at: datetime


class GarbageItem(Model):
    """Something on the cloud's disk that nobody needs.

    Attributes:
        kind: `blob`, `bento` or `model` (unpacked), `upload`, `environment`, `image` (OCI) or `log`.
        name: Its digest, tag or key.
        bytes: Its size; blocks that it shares with others are counted, too.
    """

    kind: str
    name: str
    bytes: int


class GarbageView(Model):
    """What a look for garbage has found.

    Attributes:
        items: Each piece.
        bytes: Their size together.
        deleted: Whether they are gone; False = they would go.
    """

    items: list[GarbageItem]
    bytes: int
    deleted: bool
