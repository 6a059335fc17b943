"""The vocabulary: deployments, instances, images and events as every room of the house speaks of them.

The models are the payloads of `/api/bj/v1` and what magics, forms and the sidebar show. Translation
to and from BentoCloud's wire format (docs/architecture.md, "The wire") is in `DeploymentSpec.to_wire`
and `scaling_of`/`mode_of`: the wire has no `mode`, it is `scaling.min_replicas`.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone
from enum import Enum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, computed_field, field_validator, model_validator

__all__ = [
    "FAILED_STATUSES",
    "READY_STATUSES",
    "CloudView",
    "ColdStart",
    "DeploymentSpec",
    "DeploymentView",
    "EndpointView",
    "Event",
    "ImageView",
    "InstanceState",
    "InstanceType",
    "InstanceView",
    "LogLine",
    "Mode",
    "ReplicaSetView",
    "Scaling",
    "Status",
    "Traffic",
    "ZygoteView",
    "mode_of",
]

#: Names of deployments, Bentos and models: what BentoML's tags and DNS labels both allow.
NAME_PATTERN = re.compile(r"^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?\Z")
DEPLOYMENT_NAME_PATTERN = re.compile(r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z")
#: Rollout strategies, the words of BentoCloud.
STRATEGIES = ("RollingUpdate", "Recreate", "RampedSlowRollout", "BestEffortControlledRollout")


class Mode(str, Enum):
    """How a deployment meets its requests.

    `ONLINE` (Online Service): at least one instance is always up.
    `ON_DEMAND` (On-Demand Function): instances start when requests come; requests wait in a queue
    meanwhile; back to zero when idle.
    """

    ONLINE = "online"
    ON_DEMAND = "on-demand"

    @property
    def full_name(self) -> str:
        """The name BentoCloud gives it."""
        return "Online Service" if self is Mode.ONLINE else "On-Demand Function"

    @property
    def meaning(self) -> str:
        """One line that says what choosing it means."""
        if self is Mode.ONLINE:
            return "Always at least one instance up: lowest latency, uses memory all the time."
        return "Starts when a request comes, which waits meanwhile; nothing runs while idle."


class Status(str, Enum):
    """A deployment's status, the words of BentoCloud's wire."""

    UNKNOWN = "unknown"
    NON_DEPLOYED = "non-deployed"
    RUNNING = "running"
    UNHEALTHY = "unhealthy"
    FAILED = "failed"
    DEPLOYING = "deploying"
    TERMINATING = "terminating"
    TERMINATED = "terminated"
    IMAGE_BUILDING = "image-building"
    IMAGE_BUILD_FAILED = "image-build-failed"
    IMAGE_BUILD_SUCCEEDED = "image-build-succeeded"
    SCALED_TO_ZERO = "scaled-to-zero"


#: Statuses in which a deployment answers requests.
READY_STATUSES = frozenset({Status.RUNNING, Status.SCALED_TO_ZERO})
#: Statuses from which a deployment does not become ready by itself.
FAILED_STATUSES = frozenset(
    {Status.FAILED, Status.IMAGE_BUILD_FAILED, Status.UNHEALTHY, Status.TERMINATED, Status.TERMINATING}
)


class InstanceState(str, Enum):
    """State of one instance (replica) of a deployment."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"
    STOPPED = "stopped"
    FAILED = "failed"


def utc_now() -> datetime:
    """Now, with its zone."""
    return datetime.now(timezone.utc)


class Model(BaseModel):
    """Base of all models here: unknown fields are dropped, so older and newer ends understand each other."""

    model_config = ConfigDict(extra="ignore")


class Scaling(Model):
    """How many instances, and when.

    Attributes:
        min: Fewest instances; 0 makes the deployment on-demand.
        max: Most instances.
        concurrency: Requests that one instance works on at a time; None = no limit.
        idle_seconds: How long without need an instance is kept before it is stopped
            (BentoCloud's `scale_down_stabilization_window`), 0 to 3600.
        scale_up_seconds: How long more instances must be wanted before they are started
            (`scale_up_stabilization_window`); never delays the first instance.
    """

    min: int = Field(1, ge=0, le=1000)
    max: int = Field(1, ge=1, le=1000)
    concurrency: int | None = Field(None, ge=1)
    idle_seconds: float | None = Field(None, ge=0, le=3600)
    scale_up_seconds: float = Field(0, ge=0, le=3600)

    @model_validator(mode="after")
    def _ordered(self) -> Scaling:
        if self.max < self.min:
            raise ValueError(f"max ({self.max}) is below min ({self.min})")
        return self


class Traffic(Model):
    """Limits of the request path.

    Attributes:
        timeout: Seconds a request may take once an instance has it; 504 after.
        queue: Requests that may wait per deployment; 429 above.
        cold_start_timeout: Seconds a request waits for an instance; 503 after.
    """

    timeout: float = Field(60, gt=0)
    queue: int = Field(10_000, ge=1)
    cold_start_timeout: float = Field(300, gt=0)


def mode_of(min_replicas: int) -> Mode:
    """The mode that a deployment with this `min_replicas` is in."""
    return Mode.ON_DEMAND if min_replicas == 0 else Mode.ONLINE


class DeploymentSpec(Model):
    """What a user asks for when deploying.

    Attributes:
        name: Name of the deployment: small letters, digits and `-`.
        bento: Tag `name:version` of a Bento; "" while it is still to be built.
        mode: Online Service or On-Demand Function.
        min: Fewest instances; None = 1 online, 0 on demand.
        max: Most instances; None = the larger of 1 and min.
        concurrency: Requests per instance at a time; None = no limit online, 8 on demand.
        idle_seconds: See `Scaling`; None = the cloud's default.
        instance_type: Name of an instance type of the cloud; None = its default.
        envs: Environment variables.
        secrets: Names of secrets of the cloud.
        labels: Labels.
        protected: True = callers need `Authorization: Bearer <token>`.
        strategy: Rollout strategy; None = the cloud's default.
        timeout: Seconds per request; None = what the Bento says.
        cold_start_timeout: Seconds a request waits for an instance; None = the cloud's default.

    Example:
        >>> DeploymentSpec(name="iris", bento="iris:v1", mode="on-demand").scaling.min
        0
    """

    model_config = ConfigDict(extra="forbid")

    name: str
    bento: str = ""
    mode: Mode = Mode.ONLINE
    min: int | None = Field(None, ge=0, le=1000)
    max: int | None = Field(None, ge=1, le=1000)
    concurrency: int | None = Field(None, ge=1)
    idle_seconds: int | None = Field(None, ge=0, le=3600)
    instance_type: str | None = None
    envs: dict[str, str] = Field(default_factory=dict)
    secrets: list[str] = Field(default_factory=list)
    labels: dict[str, str] = Field(default_factory=dict)
    protected: bool = False
    strategy: str | None = None
    timeout: float | None = Field(None, gt=0)
    cold_start_timeout: int | None = Field(None, gt=0)

    @field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        if not DEPLOYMENT_NAME_PATTERN.match(value):
            raise ValueError("use small letters, digits and '-', at most 63, ends with a letter or digit")
        return value

    @field_validator("strategy")
    @classmethod
    def _strategy(cls, value: str | None) -> str | None:
        if value is not None and value not in STRATEGIES:
            raise ValueError(f"use one of {', '.join(STRATEGIES)}")
        return value

    @field_validator("envs")
    @classmethod
    def _envs(cls, value: dict[str, str]) -> dict[str, str]:
        for key in value:
            if not re.match(r"^[A-Za-z_][A-Za-z0-9_]*$", key):
                raise ValueError(f"{key!r} is not a name of an environment variable")
        return value

    @model_validator(mode="after")
    def _fits_mode(self) -> DeploymentSpec:
        if self.mode is Mode.ONLINE and self.min == 0:
            raise ValueError("an Online Service keeps at least 1 instance; min 0 is mode on-demand")
        if self.mode is Mode.ON_DEMAND and self.min:
            raise ValueError("an On-Demand Function starts at min 0; to keep instances up use mode online")
        if self.min is not None and self.max is not None and self.max < self.min:
            raise ValueError(f"max ({self.max}) is below min ({self.min})")
        return self

    @property
    def scaling(self) -> Scaling:
        """The scaling that mode, min, max and concurrency come to."""
        on_demand = self.mode is Mode.ON_DEMAND
        least = self.min if self.min is not None else (0 if on_demand else 1)
        return Scaling(
            min=least,
            max=self.max if self.max is not None else max(1, least),
            concurrency=self.concurrency or (8 if on_demand else None),
            idle_seconds=self.idle_seconds,
        )

    def changed_by(self, given: dict[str, Any]) -> dict[str, Any]:
        """The fields of this deployment with those `given` put in their place.

        With another mode, its `min` and `concurrency` go: they were meant for the old one.
        """
        kept = self.model_dump()
        if "mode" in given and Mode(given["mode"]) is not self.mode:
            kept["min"] = kept["concurrency"] = None
        return {**kept, **given}

    def to_wire(self, service: str) -> dict[str, Any]:
        """The body of BentoCloud's create call (without `null` fields).

        Args:
            service: Name of the Bento's entry service, to which scaling and instance type apply.
        """
        scaling = self.scaling
        wire_scaling: dict[str, Any] = {"min_replicas": scaling.min, "max_replicas": scaling.max}
        if self.idle_seconds is not None:
            wire_scaling["policy"] = {"scale_down_stabilization_window": self.idle_seconds}
        traffic: dict[str, Any] = {}
        if scaling.concurrency is not None:
            traffic["concurrency"] = scaling.concurrency
        if self.mode is Mode.ON_DEMAND:
            traffic["external_queue"] = True
        if self.timeout is not None:
            traffic["timeout"] = self.timeout
        config: dict[str, Any] = {"scaling": wire_scaling}
        if self.instance_type:
            config["instance_type"] = self.instance_type
        if self.strategy:
            config["deployment_strategy"] = self.strategy
        if self.cold_start_timeout is not None:
            config["cold_start_timeout"] = self.cold_start_timeout
        if traffic:
            config["config_overrides"] = {"traffic": traffic}
        return {
            "name": self.name,
            "bento": self.bento,
            "access_authorization": self.protected,
            "envs": [{"name": key, "value": value} for key, value in self.envs.items()],
            "labels": [{"key": key, "value": value} for key, value in self.labels.items()],
            "secrets": list(self.secrets),
            "services": {service: config},
            "dev": False,
        }


class ColdStart(Model):
    """One cold start, from the wish for an instance to its readiness.

    Attributes:
        at: When it began.
        seconds: Whole duration.
        phases: Seconds per phase, in order: `process` (until the interpreter runs), `imports`,
            `load` (Bento, model and app), `ready`.
    """

    at: datetime
    seconds: float
    phases: dict[str, float] = Field(default_factory=dict)


class InstanceView(Model):
    """One instance of a deployment, as shown.

    Attributes:
        id: Unique id, `<deployment>-<4 letters>`.
        state: Its state.
        reason: Why it is in that state, in words; "" when all is well.
        started_at: When it was started.
        pid: Process id on this machine; None where that means nothing.
        memory_bytes: Resident memory; None = not measured yet.
        in_flight: Requests it works on now.
        cold_start: How it came up; None while it is starting.
        version: Version of the deployment that it belongs to.
        service: Service of the Bento that it serves; "" where the cloud does not say.
        cpu: CPUs it has used lately, 1.0 = one whole; None = not measured yet.
        restarts: How many instances in its place failed one after the other before it.
    """

    id: str
    state: InstanceState
    reason: str = ""
    started_at: datetime
    pid: int | None = None
    memory_bytes: int | None = None
    in_flight: int = 0
    cold_start: ColdStart | None = None
    version: str = "main"
    service: str = ""
    cpu: float | None = None
    restarts: int = 0

    @computed_field  # type: ignore[prop-decorator]
    @property
    def age_seconds(self) -> float:
        """How long ago it was started."""
        return round((utc_now() - self.started_at).total_seconds(), 1)


class ReplicaSetView(Model):
    """The instances of one service in one version of a deployment, as shown.

    Attributes:
        version: `main`, or the name of the canary.
        service: The service.
        bento: Tag of the version's Bento.
        weight: Percentage of the deployment's requests that it is to get; None = only other services call it.
        scaling: Its limits.
        instance_type: Name of its instance type.
        status: Its status.
        reason: Why, in words; may be "".
        ready: Instances that are ready.
        wanted: Instances that there should be now.
        in_flight: Requests being worked on.
        queued: Requests that wait.
        requests: Requests answered since the cloud started.
        errors: Those of them answered with 5xx.
    """

    version: str
    service: str
    bento: str
    weight: float | None = None
    scaling: Scaling
    instance_type: str = ""
    status: Status = Status.UNKNOWN
    reason: str = ""
    ready: int = 0
    wanted: int = 0
    in_flight: int = 0
    queued: int = 0
    requests: int = 0
    errors: int = 0


class ImageView(Model):
    """The environment a Bento runs in.

    Attributes:
        key: Content hash.
        status: pending, building, success or failed.
        reason: Why it failed; "" otherwise.
        seconds: How long the build took; None until it is over.
        cached: True when it was there already.
        size_bytes: Size of its files, which it may share with others; None = not looked at.
        at: When its state changed last; None = before the cloud started.
        used_by: Deployments that run in it; empty where that was not asked.
    """

    key: str
    status: str
    reason: str = ""
    seconds: float | None = None
    cached: bool = False
    size_bytes: int | None = None
    at: datetime | None = None
    used_by: list[str] = Field(default_factory=list)


class EndpointView(Model):
    """One thing that a deployment can be asked.

    Attributes:
        name: Name of the endpoint.
        route: Path below the deployment's URL.
        example: A JSON body that it takes; "" when it takes files, or the body would be long.
    """

    name: str
    route: str
    example: str = ""


class DeploymentView(Model):
    """A deployment as it is now: what lists, cards and the sidebar show.

    Attributes:
        name: Its name.
        status: Status word of the wire.
        reason: Why, in words ("building the image", "instance exited with code 3: ..."); may be "".
        healthy: True when a request sent now would be answered (a scaled-to-zero one is healthy).
        mode: Online Service or On-Demand Function.
        url: Base URL of its endpoints; None while it has none.
        endpoints: What it can be asked; empty where the cloud does not say.
        bento: Tag of the Bento it runs.
        protected: Callers need a token.
        ready: Instances that are ready.
        wanted: Instances that there should be now.
        scaling: Its limits.
        instance_type: Name of its instance type.
        envs: Environment variables it was given (names only; values are never sent to faces).
        labels: Its labels.
        in_flight: Requests being worked on.
        queued: Requests that wait.
        requests: Requests answered since it was created or the cloud started.
        errors: Those of them answered with 5xx.
        last_cold_start: The newest cold start.
        image: Its image.
        instances: Its instances, newest last.
        sets: Its replica sets: one per service of the main version, the entry service first, then those of
            the canaries.
        revision: Number of the active revision, from 1.
        created_at: When it was created.
        updated_at: When it was changed last by a user.
        creator: Who created it.
        event_id: Id of the newest event included in this view.
    """

    name: str
    status: Status
    reason: str = ""
    healthy: bool = False
    mode: Mode
    url: str | None = None
    endpoints: list[EndpointView] = Field(default_factory=list)
    bento: str
    protected: bool = False
    ready: int = 0
    wanted: int = 0
    scaling: Scaling
    instance_type: str = ""
    envs: list[str] = Field(default_factory=list)
    labels: dict[str, str] = Field(default_factory=dict)
    in_flight: int = 0
    queued: int = 0
    requests: int = 0
    errors: int = 0
    last_cold_start: ColdStart | None = None
    image: ImageView | None = None
    instances: list[InstanceView] = Field(default_factory=list)
    sets: list[ReplicaSetView] = Field(default_factory=list)
    revision: int = 1
    created_at: datetime
    updated_at: datetime | None = None
    creator: str = ""
    event_id: int = 0


class InstanceType(Model):
    """A size of instance that a cloud offers.

    Attributes:
        name: Its name, for `--instance-type`.
        description: In words.
        cpu: CPUs, e.g. 0.5.
        memory_bytes: Memory.
        gpu: Number of GPUs.
        price: As the cloud says it; "" when it costs nothing.
    """

    name: str
    description: str = ""
    cpu: float
    memory_bytes: int
    gpu: int = 0
    price: str = ""


class LogLine(Model):
    """One line of a log.

    Attributes:
        at: When it was written (None where the source does not say).
        source: Instance id, or `image`.
        text: The line, without its end.
    """

    at: datetime | None = None
    source: str
    text: str


class Event(Model):
    """Something that changed in the cloud; the change feed is a sequence of these.

    Attributes:
        id: Grows by one with each event; never reused, also over restarts.
        at: When.
        kind: What changed: `deployment` (created, changed state, instances or counters),
            `deployment-deleted`, `bento`, `cloud`.
        name: Of which deployment or Bento; "" for the cloud.
        message: In words, one line; "" when nothing but counters has changed.
        reason: Why the deployment is in its state, in words.
        revision: Which revision of the deployment it is about; None for other kinds.
    """

    id: int
    at: datetime
    kind: str
    name: str = ""
    message: str = ""
    reason: str = ""
    revision: int | None = None


class ZygoteView(Model):
    """A process that the embedded cloud keeps warm to fork instances.

    Attributes:
        pid: Its process id.
        environment: Key of its environment.
        modules: How many modules it has imported on behalf of Bentos.
        memory_bytes: Its resident memory.
        forks: Instances it has forked.
        users: Who may need it: `<deployment>/<replica set>`.
    """

    pid: int
    environment: str
    modules: int
    memory_bytes: int
    forks: int
    users: list[str] = Field(default_factory=list)


class CloudView(Model):
    """The embedded cloud as a whole.

    Attributes:
        endpoint: Base URL.
        pid: Process id of the control plane.
        version: Version of bento_jupyter that runs it.
        started_at: When.
        deployments: Number of deployments that are not terminated.
        instances: Number of instances that are up.
        event_id: Id of the newest event.
        zygotes: The processes that are kept warm to fork instances.
    """

    endpoint: str
    pid: int
    version: str
    started_at: datetime
    deployments: int = 0
    instances: int = 0
    event_id: int = 0
    zygotes: list[ZygoteView] = Field(default_factory=list)
