"""What is shown: deployments, instances, images and events as every room of the house speaks of them.

The models are the payloads of `/api/bj/v1` and what magics, forms and the sidebar show.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import Field, computed_field

from .spec import InstanceState, Mode, Model, Scaling, Status, utc_now

__all__ = [
    "CloudView",
    "ColdStart",
    "DeploymentView",
    "EndpointView",
    "Event",
    "ImageView",
    "InstanceType",
    "InstanceView",
    "LogLine",
    "NodeView",
    "PushStep",
    "ReplicaSetView",
    "ZygoteView",
]


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
    """What a Bento runs in: an environment of Python packages, or an OCI image.

    Attributes:
        key: Content hash.
        kind: `environment` or `oci`.
        status: pending, building, success or failed.
        reason: Why it failed; "" otherwise.
        seconds: How long the build took; None until it is over.
        cached: True when it was there already.
        size_bytes: Size of its files, which it may share with others; None = not looked at.
        at: When its state changed last; None = before the cloud started.
        used_by: Deployments that run in it; empty where that was not asked.
        digest: `sha256:...` of an OCI image; "" until it is built.
        reference: Its name in the storage of the program that runs it; "" until it is built.
        builder: The program that has built it; "" until then.
        log: File with the log of its build, on the machine of the cloud.
    """

    key: str
    kind: str = "environment"
    status: str
    reason: str = ""
    seconds: float | None = None
    cached: bool = False
    size_bytes: int | None = None
    at: datetime | None = None
    used_by: list[str] = Field(default_factory=list)
    digest: str = ""
    reference: str = ""
    builder: str = ""
    log: str = ""


class PushStep(Model):
    """One line of what an image's push to a registry tells.

    Attributes:
        stage: `image` while the image is made ready, then `push`.
        text: What happens.
        image: The image that was pushed, in the last line when it went well.
        error: Why it failed, in the last line when it did.
        hint: What to do about that.
    """

    stage: str
    text: str = ""
    image: ImageView | None = None
    error: str = ""
    hint: str = ""


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
        owner: The notebook that deployed it, or `user@host`; "" when it does not say.
        expires_at: When it ends by itself; None = never.
        last_request_at: When a request came last, since the cloud started; None = none came.
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
    owner: str = ""
    expires_at: datetime | None = None
    last_request_at: datetime | None = None
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


class NodeView(Model):
    """A machine that instances run on.

    Attributes:
        name: Its name.
        cpus: CPUs that it has for instances.
        memory_bytes: Memory that it has for them.
        gpus: GPUs that it has.
        free_gpus: Those of them that no instance has.
        instances: Ids of the instances on it.
    """

    name: str
    cpus: float
    memory_bytes: int
    gpus: int = 0
    free_gpus: int = 0
    instances: list[str] = Field(default_factory=list)


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
        engine: What runs instances: `processes` of this machine, or the nodes of a `ray` cluster.
        nodes: The machines that they run on.
    """

    endpoint: str
    pid: int
    version: str
    started_at: datetime
    deployments: int = 0
    instances: int = 0
    event_id: int = 0
    zygotes: list[ZygoteView] = Field(default_factory=list)
    engine: str = "processes"
    nodes: list[NodeView] = Field(default_factory=list)
