"""What the sidebar gets and sends, as models: the border between the cloud and the browser.

The cloud's answers are read into the models of `bento_jupyter.views` and `bento_jupyter.insight` and written
from them again, so nothing passes that they do not name; a token is in none of them. The browser's side
(`labextension/src/payloads.ts`) is generated from these models by `labextension/generate_payloads.py`.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..insight import PackageView, RevisionView
from ..spec import Mode
from ..views import CloudView, DeploymentView, Event, ImageView, InstanceType, InstanceView, LogLine

__all__ = [
    "AskedPart",
    "Change",
    "Changes",
    "CloudStatus",
    "Configuration",
    "Context",
    "Contexts",
    "Difference",
    "Done",
    "Events",
    "FieldProblem",
    "Form",
    "Images",
    "InstanceTypes",
    "Instances",
    "Interface",
    "InterfaceEndpoint",
    "LogTail",
    "Overview",
    "Packages",
    "Plan",
    "Refusal",
    "Revisions",
    "Rollback",
    "SecretNames",
    "Traffic",
    "TrafficItem",
    "Wanted",
]

#: `running`: it answers. `stopped`: none runs. `unreachable`: its process lives, but does not answer.
CloudStatus = Literal["running", "stopped", "unreachable"]


class Overview(BaseModel):
    """Everything the list shows.

    Attributes:
        state: How the embedded cloud is.
        message: Why it is not running, in words; "" when it runs.
        cloud: The cloud; None unless it runs.
        deployments: Its deployments.
        event_id: Id of the newest event included.
    """

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
