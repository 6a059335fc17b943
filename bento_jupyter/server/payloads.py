"""What the sidebar gets, as models: the border between the cloud and the browser.

The cloud's answers are read into the models of `bento_jupyter.spec` and written from them again, so
nothing passes that they do not name; a token is in none of them.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from ..views import CloudView, DeploymentView, LogLine

__all__ = ["CloudStatus", "DeploymentDetail", "LogTail", "Overview"]

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


class DeploymentDetail(LogTail):
    """One deployment with the last lines that it wrote."""

    deployment: DeploymentView
