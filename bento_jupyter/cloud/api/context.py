"""What every call works on: the cloud that serves it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from starlette.requests import HTTPConnection

from ...errors import NotFoundError
from ...spec import utc_now
from ...views import DeploymentView
from ..settings import CloudSettings
from ..store import Store

if TYPE_CHECKING:
    from ..controller import Controller

__all__ = ["Cloud", "cloud_of"]


@dataclass
class Cloud:
    """The running cloud.

    Attributes:
        settings: Its settings.
        endpoint: Base URL of its control plane.
        store: Its store.
        controller: Its controller.
        shut_down: Ends the process, softly.
        stopping: Set when it ends: streams end then.
        started_at: When it was started.
    """

    settings: CloudSettings
    endpoint: str
    store: Store
    controller: Controller
    shut_down: Callable[[], None]
    stopping: asyncio.Event
    started_at: datetime = field(default_factory=utc_now)

    def view(self, name: str) -> DeploymentView:
        """A deployment as it is now.

        Raises:
            NotFoundError: There is none of this name.
        """
        try:
            return self.controller.view(name)
        except KeyError as error:
            raise NotFoundError(f"there is no deployment {name!r}") from error


def cloud_of(connection: HTTPConnection) -> Cloud:
    """The cloud that a request or WebSocket came to."""
    cloud: Cloud = connection.app.state.cloud
    return cloud
