"""The extension as Jupyter runs it: settings, routes, and an end."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_server.extension.application import ExtensionApp
from traitlets import Unicode

from ..home import Home

if TYPE_CHECKING:
    from jupyter_events import EventLogger

    from .hints import Hint
    from .link import CloudLink
    from .passes import Passes
    from .watcher import Watcher

__all__ = ["EVENT_SCHEMA_ID", "BentoJupyterApp"]

#: `$id` of the Jupyter event that tells browsers to ask again.
EVENT_SCHEMA_ID = "https://events.bento-jupyter.org/deployments/v1"


class BentoJupyterApp(ExtensionApp):
    """Connects the sidebar with the user's embedded cloud.

    All browsers of this Jupyter server share one `CloudLink` and one `Watcher`, so the cloud sees one
    client however many tabs are open. Both are made when a sidebar asks for the first time.
    """

    name = "bento_jupyter"

    home_folder = Unicode(
        "",
        config=True,
        help="Home of the embedded cloud; empty = BENTO_JUPYTER_HOME, else the user's data folder.",
    )

    _watching = False

    @cached_property
    def home(self) -> Home:
        """The home of the cloud that the sidebar shows."""
        if self.home_folder:
            return Home(Path(self.home_folder).expanduser().resolve())
        return Home.default()

    @cached_property
    def link(self) -> CloudLink:
        """The one connection to the cloud."""
        from .link import CloudLink

        return CloudLink(self.home)

    @cached_property
    def passes(self) -> Passes:
        """The passes to the pages of deployments."""
        from .passes import Passes

        return Passes()

    @cached_property
    def watcher(self) -> Watcher:
        """Follows the cloud and emits hints."""
        from .watcher import Watcher

        return Watcher(self.link, self._emit)

    def watch(self) -> None:
        """Follow the cloud from now on; called by each sidebar that asks, works once."""
        self._watching = True
        self.watcher.start()

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
        if self._watching:
            await self.watcher.stop()
        if "link" in self.__dict__:
            await self.link.aclose()

    @property
    def _event_logger(self) -> EventLogger:
        # Jupyter links an extension with its server before it initializes it.
        assert self.serverapp is not None
        assert self.serverapp.event_logger is not None
        return self.serverapp.event_logger

    def _emit(self, hint: Hint) -> None:
        self._event_logger.emit(schema_id=EVENT_SCHEMA_ID, data=hint.model_dump())
