"""The control plane as an ASGI application."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from starlette.applications import Starlette
from starlette.middleware import Middleware

from .api import (
    additions,
    auth,
    bentos,
    codespaces,
    containers,
    deployments,
    history,
    insight,
    instance_types,
    inventory,
    keeping,
    models,
    openapi,
    pages,
    scrape,
    secrets,
    sockets,
    tokens,
)
from .api.context import Cloud
from .api.exchange import EXCEPTION_HANDLERS
from .api.guards import HostGuard, TokenGuard
from .engines import Engine
from .settings import CloudSettings
from .store import Store

__all__ = ["create_app"]


def create_app(
    settings: CloudSettings,
    *,
    endpoint: str = "",
    shut_down: Callable[[], None] = lambda: None,
    engine: Engine | None = None,
) -> Starlette:
    """The application; its lifespan opens the store and starts controller and gateway.

    Args:
        settings: What it is told.
        endpoint: Base URL that it is reached by.
        shut_down: Ends the process that serves it; called by `POST /api/bj/v1/shutdown`.
        engine: What runs instances; None = what the settings name.

    Returns:
        The application. `app.state.stopping` is an `asyncio.Event` once it runs: set it when the server
        is about to stop, so that endless answers end.
    """

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        from .controller import Controller

        store = Store.open(settings.home)
        try:
            controller = Controller(settings, store, engine)
            app.state.stopping = asyncio.Event()
            app.state.cloud = Cloud(settings, endpoint, store, controller, shut_down, app.state.stopping)
            await controller.start()
            try:
                yield
            finally:
                app.state.stopping.set()
                await controller.stop()
        finally:
            store.close()

    app = Starlette(
        routes=[
            *auth.routes,
            *bentos.routes,
            *models.routes,
            *deployments.routes,
            *codespaces.routes,
            *instance_types.routes,
            *tokens.routes,
            *secrets.routes,
            *sockets.routes,
            *additions.routes,
            *insight.routes,
            *history.routes,
            *containers.routes,
            *inventory.routes,
            *keeping.routes,
            *openapi.routes,
            *pages.routes,
            *scrape.routes,
        ],
        middleware=[Middleware(HostGuard, settings=settings), Middleware(TokenGuard)],
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=lifespan,
    )
    # A redirect to the same path with a slash less would be an error for the client, which follows none.
    app.router.redirect_slashes = False
    app.state.login_codes = auth.LoginCodes()
    app.state.sessions = pages.Sessions()
    return app
