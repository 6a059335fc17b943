"""What the sidebar gets and sends, as models: the border between the cloud and the browser.

The cloud's answers are read into the models of `bento_jupyter.views` and `bento_jupyter.insight` and written
from them again, so nothing passes that they do not name; a token is in none of them. The browser's side
(`labextension/src/payloads.ts`) is generated from these models by `labextension/generate_payloads.py`.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from ..insight import PackageView, RevisionView
from ..proofs import ProofNote
from ..spec import Mode
from ..views import CloudView, DeploymentView, Event, ImageView, InstanceType, InstanceView, LogLine

__all__ = [
    "AskedPart",
    "Bento",
    "Bentos",
    "Change",
    "Changes",
    "CloudStatus",
    "Configuration",
    "Context",
    "ContextState",
    "ContextStates",
    "Contexts",
    "Difference",
    "Done",
    "Events",
    "Export",
    "FieldProblem",
    "Form",
    "Images",
    "InstanceTypes",
    "Instances",
    "Interface",
    "InterfaceEndpoint",
    "Job",
    "JobState",
    "LogTail",
    "Login",
    "Overview",
    "Packages",
    "Plan",
    "Push",
    "Refusal",
    "Revisions",
    "Rollback",
    "SecretNames",
    "Start",
    "Traffic",
    "TrafficItem",
    "Wanted",
]

#: `running`: it answers. `stopped`: none runs. `unreachable`: its process lives, but does not answer.
#: `refused`: it answers, but not to the token that is in its home.
CloudStatus = Literal["running", "stopped", "unreachable", "refused"]


class Overview(BaseModel):
    """Everything the list shows.

    Attributes:
        context: The cloud that was asked about; "" = the embedded one.
        state: How it is; only the embedded one is ever `stopped`.
        message: Why it is not running, in words; "" when it runs.
        cloud: The cloud; None unless it runs, and where it does not tell, as BentoCloud.
        deployments: Its deployments.
        event_id: Id of the newest event included.
    """

    context: str = ""
    state: CloudStatus
    message: str = ""
    cloud: CloudView | None = None
    deployments: list[DeploymentView] = Field(default_factory=list)
    event_id: int = 0


class Changes(BaseModel):
    """Some deployments as they are now, to be put over an earlier `Overview`.

    Attributes:
        deployments: Those that were asked for and are there.
        gone: Those that are no more.
    """

    deployments: list[DeploymentView]
    gone: list[str]


class LogTail(BaseModel):
    """The last lines that a deployment wrote, oldest first."""

    lines: list[LogLine] = Field(default_factory=list)


class Instances(BaseModel):
    """The instances of a deployment, newest last."""

    instances: list[InstanceView]


class Events(BaseModel):
    """What happened to a deployment, newest first."""

    events: list[Event]


class Revisions(BaseModel):
    """What a deployment was asked to be, newest first."""

    revisions: list[RevisionView]


class Packages(BaseModel):
    """Bentos or models of the cloud's registry."""

    items: list[PackageView]


class Bento(PackageView):
    """A Bento of the cloud's registry, of the local store, or of both.

    Attributes:
        in_cloud: Whether the registry of the cloud that is shown has it; only then it can be deployed there.
        in_store: Whether the local store has it.
        proof: How its last proof on this machine came out; None when there was none.
    """

    in_cloud: bool
    in_store: bool
    proof: ProofNote | None = None


class Bentos(BaseModel):
    """The Bentos that there are, newest first."""

    items: list[Bento]


class Images(BaseModel):
    """The environments that Bentos run in, newest first."""

    images: list[ImageView]


class InstanceTypes(BaseModel):
    """Sizes of instances that the cloud offers."""

    items: list[InstanceType]


class SecretNames(BaseModel):
    """Names of the cloud's secrets, and nothing of what is in them."""

    items: list[str]


class TrafficItem(BaseModel):
    """How much a deployment was asked lately.

    Attributes:
        name: The deployment.
        rate: Requests per second, over the last half minute.
        points: Requests in each part of the last quarter of an hour, oldest first.
    """

    name: str
    rate: float
    points: list[int]


class Traffic(BaseModel):
    """The traffic of some deployments."""

    items: list[TrafficItem]


class Configuration(BaseModel):
    """What a deployment was asked to be, to take elsewhere; values of variables are not in it.

    Attributes:
        yaml: For `bentoml deployment create -f`.
        magic: The line that deploys it from a notebook.
    """

    yaml: str
    magic: str


class Context(BaseModel):
    """A cloud that the `bentoml` client is logged in to.

    Attributes:
        name: What it is called.
        endpoint: Base URL of its control plane.
        current: Whether `bentoml` commands use it.
        embedded: Whether it is the embedded cloud of this machine.
    """

    name: str
    endpoint: str
    current: bool
    embedded: bool


class Contexts(BaseModel):
    """The clouds that the `bentoml` client is logged in to."""

    items: list[Context]


#: `ready`: it takes the token. `refused`: it does not. `unreachable`: it does not answer.
ContextStatus = Literal["ready", "refused", "unreachable"]


class ContextState(BaseModel):
    """How a cloud is that the `bentoml` client is logged in to.

    Attributes:
        name: Name of the context.
        state: How it is.
        message: Who one is logged in as; else why it is so.
    """

    name: str
    state: ContextStatus
    message: str


class ContextStates(BaseModel):
    """How the clouds are that the `bentoml` client is logged in to."""

    items: list[ContextState]


class Push(BaseModel):
    """Where a Bento is to be sent.

    Attributes:
        cloud: Name of a context, or `embedded`.
    """

    model_config = ConfigDict(extra="forbid")

    cloud: str = Field(min_length=1, max_length=200)


class Export(BaseModel):
    """Where the project of a Bento is to be written.

    Attributes:
        folder: A new folder, as the file browser names it: below Jupyter's root.
    """

    model_config = ConfigDict(extra="forbid")

    folder: str = Field(min_length=1, max_length=1000)


class Login(BaseModel):
    """A cloud to log in to.

    Attributes:
        endpoint: Base URL of its control plane.
        context: Name to keep it under; "" = the endpoint's host.
        token: API token; goes to the endpoint and into the `bentoml` client's file, and is never told again.
    """

    model_config = ConfigDict(extra="forbid")

    endpoint: str = Field(pattern=r"^https?://[^\s/@]+/?$", max_length=500)
    context: str = Field("", pattern=r"^[A-Za-z0-9._-]*$", max_length=100)
    token: SecretStr = Field(min_length=1, max_length=10_000)


class Start(BaseModel):
    """What is to run the instances of the embedded cloud, from its start on.

    Attributes:
        engine: Processes of this machine, containers on it, or the nodes of a Ray cluster.
        ray_address: URL of the cluster's dashboard.
        ray_token: The cluster's token, kept in the cloud's home and never told again; "" = it wants none.
        ray_tls: TLS between this machine and the nodes.
    """

    model_config = ConfigDict(extra="forbid")

    engine: Literal["processes", "containers", "ray"]
    ray_address: str = Field("", pattern=r"^(https?://[^\s/@]+/?)?$", max_length=500)
    ray_token: SecretStr = Field(SecretStr(""), max_length=10_000)
    ray_tls: bool = False


JobState = Literal["running", "done", "failed"]


class Job(BaseModel):
    """Something that takes its time.

    Attributes:
        id: To ask for it again.
        state: How far it is.
        message: What it does at the moment; at its end why it failed.
        hint: What to do about that.
    """

    id: str
    state: JobState
    message: str = ""
    hint: str = ""


class Done(BaseModel):
    """It was done, and there is nothing to tell."""


class Change(BaseModel):
    """What is to be different about a deployment; what is absent stays as it is.

    Attributes:
        mode: Another mode; `min` and `concurrency` that were meant for the old one go.
        min: Fewest instances.
        max: Most instances.
        concurrency: Requests that an instance works on at a time; 0 = no limit.
        bento: Tag of another Bento.
    """

    model_config = ConfigDict(extra="forbid")

    mode: Mode | None = None
    min: int | None = Field(None, ge=0, le=1000)
    max: int | None = Field(None, ge=1, le=1000)
    concurrency: int | None = Field(None, ge=0)
    bento: str | None = Field(None, pattern=r"^[a-z0-9_.-]+:[a-zA-Z0-9_.-]+$", max_length=200)


class Rollback(BaseModel):
    """To what an earlier revision asked for.

    Attributes:
        revision: Its number.
    """

    model_config = ConfigDict(extra="forbid")

    revision: int = Field(ge=1)


class Form(BaseModel):
    """The Deploy dialog as it opens.

    Attributes:
        name: The deployment that is updated; "" = a new one.
        schema_: JSON schema of its fields.
        data: Their values; of variables the names only, each without a value.
    """

    name: str
    schema_: Any = Field(serialization_alias="schema")
    data: Any


class Wanted(BaseModel):
    """A deployment as the dialog says it.

    Attributes:
        update: Name of the deployment that is to be like that; "" = a new one.
        fields: Values of the dialog's fields; what is absent is as by default. A variable without a value
            keeps the one that it has.
        owner: Path of the notebook that deploys; "" = none.
    """

    model_config = ConfigDict(extra="forbid")

    update: str = ""
    fields: dict[str, Any]
    owner: str = Field("", max_length=1000)


class FieldProblem(BaseModel):
    """What is wrong with a field.

    Attributes:
        field: Its name.
        message: In words.
    """

    field: str
    message: str


class Difference(BaseModel):
    """What would be different.

    Attributes:
        field: Where, in the words of the wire.
        before: What it is.
        after: What it would be.
    """

    field: str
    before: str
    after: str


class Plan(BaseModel):
    """What the dialog would do.

    Attributes:
        action: `create`, `update`, or `nothing`.
        line: The magic that does the same; "" when there is none.
        changes: What would be different about the deployment.
        problems: What has to be mended first.
    """

    action: str
    line: str = ""
    changes: list[Difference] = Field(default_factory=list)
    problems: list[FieldProblem] = Field(default_factory=list)


class Refusal(BaseModel):
    """Why a deploy was refused.

    Attributes:
        message: What happened.
        hint: What to do about it.
        problems: Which fields it is about.
    """

    message: str
    hint: str
    problems: list[FieldProblem]


class AskedPart(BaseModel):
    """A part of a form that an endpoint takes.

    Attributes:
        name: Its name; "" = the whole body is this.
        file: Whether it is a file; else it is JSON.
        many: Whether there may be several files.
        example: JSON that it takes; "" for files.
    """

    name: str
    file: bool
    many: bool = False
    example: str = ""


class InterfaceEndpoint(BaseModel):
    """Something that a deployment can be asked.

    Attributes:
        name: Name of the endpoint.
        route: Path below the deployment's URL that it is asked at.
        example: A JSON body that it takes; "" where it takes files.
        parts: The parts of the form that it takes; none where it takes JSON.
    """

    name: str
    route: str
    example: str
    parts: list[AskedPart]


class Interface(BaseModel):
    """What a deployment can be asked."""

    endpoints: list[InterfaceEndpoint]
