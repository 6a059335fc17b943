"""The extension as Jupyter runs it: settings, routes, and an end."""

from __future__ import annotations

import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jupyter_server.extension.application import ExtensionApp
from traitlets import Unicode

from ..home import Home

if TYPE_CHECKING:
    from jupyter_events import EventLogger

    from .hints import Hint
    from .jobs import Jobs
    from .link import CloudLink
    from .passes import Passes
    from .watcher import Watcher

__all__ = ["EVENT_SCHEMA_ID", "BentoJupyterApp"]

#: `$id` of the Jupyter event that tells browsers to ask again.
EVENT_SCHEMA_ID = "https://events.bento-jupyter.org/deployments/v1"

#: Seconds for which a cloud elsewhere is followed after somebody looked at it.
_FOLLOWED_FOR: Final = 600.0


class BentoJupyterApp(ExtensionApp):
    """Connects the sidebar with the user's embedded cloud.

    All browsers of this Jupyter server share one `CloudLink` and one `Watcher` of each cloud, so it sees one
    client however many tabs are open. Both are made when a sidebar asks about the cloud for the first time.
    """

    name = "bento_jupyter"

    home_folder = Unicode(
        "",
        config=True,
        help="Home of the embedded cloud; empty = BENTO_JUPYTER_HOME, else the user's data folder.",
    )

    @cached_property
    def home(self) -> Home:
        """The home of the cloud that the sidebar shows."""
        if self.home_folder:
            return Home(Path(self.home_folder).expanduser().resolve())
        return Home.default()

    @cached_property
    def _links(self) -> dict[str, CloudLink]:
        return {}

    @cached_property
    def _watchers(self) -> dict[str, Watcher]:
        return {}

    @cached_property
    def _looked_at(self) -> dict[str, float]:
        return {}

    def link(self, context: str = "") -> CloudLink:
        """The one connection to a cloud.

        Args:
            context: One that `bentoml` is logged in to; "" = the embedded cloud.
        """
        from .link import CloudLink
        from .other import OtherLink

        if context not in self._links:
            self._links[context] = OtherLink(self.home, context) if context else CloudLink(self.home)
        return self._links[context]

    @cached_property
    def passes(self) -> Passes:
        """The passes to the pages of deployments."""
        from .passes import Passes

        return Passes()

    @cached_property
    def jobs(self) -> Jobs:
        """What commands do for the sidebar."""
        from .jobs import Jobs

        return Jobs(self.home)

    def watch(self, context: str = "") -> None:
        """Follow a cloud from now on and emit hints; called by each sidebar whenever it asks.

        The embedded cloud is followed for good, another one until nobody has asked for a while.
        """
        from .watcher import Watcher

        now = self._looked_at[context] = time.monotonic()
        for other in [name for name, at in self._looked_at.items() if name and now - at > _FOLLOWED_FOR]:
            del self._looked_at[other]
            self._watchers.pop(other).cancel()
        if context not in self._watchers:
            self._watchers[context] = Watcher(self.link(context), self._emit)
            self._watchers[context].start()

    def initialize_settings(self) -> None:
        """Make the event known to Jupyter's event bus."""
        schema = Path(__file__).parent / "events" / "deployments.v1.yaml"
        self._event_logger.register_event_schema(schema)

    def initialize_handlers(self) -> None:
        """Add the routes."""
        from .routes import ROUTES

        self.handlers.extend(ROUTES)

    async def stop_extension(self) -> None:
        """Called by Jupyter when the server ends. The cloud stays: it outlives notebooks."""
        for watcher in self._watchers.values():
            await watcher.stop()
        if "jobs" in self.__dict__:
            await self.jobs.aclose()
        for link in self._links.values():
            await link.aclose()

    @property
    def _event_logger(self) -> EventLogger:
        # Jupyter links an extension with its server before it initializes it.
        assert self.serverapp is not None
        assert self.serverapp.event_logger is not None
        return self.serverapp.event_logger

    def _emit(self, hint: Hint) -> None:
        self._event_logger.emit(schema_id=EVENT_SCHEMA_ID, data=hint.model_dump())
