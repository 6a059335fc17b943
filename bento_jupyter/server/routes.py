"""The routes below `bento-jupyter/`: thin, each one call of the `CloudLink`.

Reading is polled and therefore no sign of a user at work (`_track_activity`): an open sidebar must not
keep an idle server of a JupyterHub alive.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado.web import authenticated

from ..errors import (
    BentoJupyterError,
    CloudError,
    CloudUnreachableError,
    InvalidRequestError,
    NotLoggedInError,
    WaitTimeoutError,
)
from ..spec import DEPLOYMENT_NAME_PATTERN

if TYPE_CHECKING:
    from pydantic import BaseModel

    from .app import BentoJupyterApp

__all__ = ["ROUTES"]

_DEFAULT_LINES = 100
_MOST_LINES = 2000


class BentoHandler(APIHandler):
    """Base of the handlers: where the link is, and errors as `{"message", "hint"}`."""

    auth_resource = "bento_jupyter"

    @property
    def bento(self) -> BentoJupyterApp:
        """The extension."""
        app: BentoJupyterApp = self.settings["bento_jupyter"]
        return app

    def reply(self, answer: BaseModel) -> None:
        """Send `answer` as JSON."""
        self.set_header("Cache-Control", "no-store")
        self.finish(answer.model_dump_json())

    def deployment_name(self, name: str) -> str:
        """`name` as it stood in the URL, if it can be a name."""
        if not DEPLOYMENT_NAME_PATTERN.match(name):
            raise InvalidRequestError(f"{name!r} cannot be the name of a deployment", status_code=400)
        return name

    def line_count(self) -> int:
        """The query's `lines`, within bounds."""
        given = self.get_query_argument("lines", str(_DEFAULT_LINES))
        if not given.isdecimal():
            raise InvalidRequestError(f"lines must be a number, not {given!r}", status_code=400)
        return min(int(given), _MOST_LINES)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Errors of our tree become JSON with a hint; the rest is Jupyter's."""
        error = (kwargs.get("exc_info") or (None, None, None))[1]
        if not isinstance(error, BentoJupyterError):
            super().write_error(status_code, **kwargs)
            return
        self.set_status(_status(error))
        self.finish(json.dumps({"message": error.message, "hint": error.hint}))

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """An error that the user sees in the sidebar is no defect: one quiet line, no traceback."""
        if isinstance(value, BentoJupyterError):
            self.log.debug("bento_jupyter: %s", value.message)
        else:
            super().log_exception(typ, value, tb)


class OverviewHandler(BentoHandler):
    """`GET overview`: the cloud and its deployments."""

    _track_activity = False

    @authenticated
    @authorized
    async def get(self) -> None:
        """Everything the list shows; also begins to watch the cloud."""
        self.bento.watch()
        self.reply(await self.bento.link.overview())


class DeploymentHandler(BentoHandler):
    """`GET deployments/{name}?lines=`: one deployment and its last log lines."""

    _track_activity = False

    @authenticated
    @authorized
    async def get(self, name: str) -> None:
        """What an open row shows."""
        self.reply(await self.bento.link.detail(self.deployment_name(name), self.line_count()))


class LogsHandler(BentoHandler):
    """`GET deployments/{name}/logs?lines=`: the last log lines."""

    _track_activity = False

    @authenticated
    @authorized
    async def get(self, name: str) -> None:
        """The last lines, oldest first."""
        self.reply(await self.bento.link.logs(self.deployment_name(name), self.line_count()))


class TerminateHandler(BentoHandler):
    """`POST deployments/{name}/terminate`."""

    @authenticated
    @authorized
    async def post(self, name: str) -> None:
        """Terminate it; the answer is the deployment."""
        self.reply(await self.bento.link.terminate(self.deployment_name(name)))


class StartHandler(BentoHandler):
    """`POST deployments/{name}/start`."""

    @authenticated
    @authorized
    async def post(self, name: str) -> None:
        """Start a terminated one again; the answer is the deployment."""
        self.reply(await self.bento.link.start(self.deployment_name(name)))


class CloudStartHandler(BentoHandler):
    """`POST cloud/start`."""

    @authenticated
    @authorized
    async def post(self) -> None:
        """Start the cloud and wait until it answers; the answer is the overview."""
        await self.bento.link.start_cloud()
        self.reply(await self.bento.link.overview())


class CloudStopHandler(BentoHandler):
    """`POST cloud/stop`."""

    @authenticated
    @authorized
    async def post(self) -> None:
        """Stop the cloud with everything it runs; the answer is the overview."""
        await self.bento.link.stop_cloud()
        self.reply(await self.bento.link.overview())


def _status(error: BentoJupyterError) -> int:
    if isinstance(error, CloudUnreachableError):
        return 503
    if isinstance(error, WaitTimeoutError):
        return 504
    # 401 and 403 of the cloud are not the browser's: to Jupyter they would mean "log in again".
    if isinstance(error, NotLoggedInError) or not isinstance(error, CloudError):
        return 502
    code = error.status_code or 502
    return code if 400 <= code < 500 else 502


_NAME = r"(?P<name>[^/]+)"

#: (pattern below the server's base URL, handler).
ROUTES: list[tuple[str, type[BentoHandler]]] = [
    (r"/bento-jupyter/overview", OverviewHandler),
    (rf"/bento-jupyter/deployments/{_NAME}", DeploymentHandler),
    (rf"/bento-jupyter/deployments/{_NAME}/logs", LogsHandler),
    (rf"/bento-jupyter/deployments/{_NAME}/terminate", TerminateHandler),
    (rf"/bento-jupyter/deployments/{_NAME}/start", StartHandler),
    (r"/bento-jupyter/cloud/start", CloudStartHandler),
    (r"/bento-jupyter/cloud/stop", CloudStopHandler),
]
