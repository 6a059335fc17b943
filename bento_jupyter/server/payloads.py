"""What the sidebar gets and sends, as models: the border between the cloud and the browser.

The cloud's answers are read into the models of `bento_jupyter.views` and `bento_jupyter.insight` and written
from them again, so nothing passes that they do not name; a token is in none of them. The browser's side
(`labextension/src/payloads.ts`) is generated from these models by `labextension/generate_payloads.py`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ..insight import PackageView, RevisionView
from ..spec import Mode
from ..views import CloudView, DeploymentView, Event, ImageView, InstanceType, InstanceView, LogLine

__all__ = [
    "Change",
    "CloudStatus",
    "Configuration",
    "Context",
    "Contexts",
    "Done",
    "Events",
    "Images",
    "InstanceTypes",
    "Instances",
    "LogTail",
    "Overview",
    "Packages",
    "Revisions",
    "Rollback",
    "SecretNames",
    "Traffic",
    "TrafficItem",
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
