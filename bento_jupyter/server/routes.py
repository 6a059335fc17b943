"""The routes below `bento-jupyter/`."""

from __future__ import annotations

from typing import Any

from tornado.web import RequestHandler

from . import acting, delegating, reading
from .logstream import LogStreamHandler
from .pages import PageEntryHandler, PagesHandler

__all__ = ["ROUTES"]

_NAME = r"(?P<name>[^/]+)"
_KEY = r"(?P<key>[0-9a-f]+)"
_ONE = rf"/bento-jupyter/deployments/{_NAME}"
_VERSION = r"(?P<name>[a-z0-9][a-z0-9._-]*)/(?P<version>[A-Za-z0-9._-]+)"
_PACKAGE = rf"(?P<kind>bentos|models)/{_VERSION}"


class _Deployment(reading.ReadingHandler, acting.DeploymentChangeHandler):
    """`deployments/{name}`: read, changed, deleted."""


class _Garbage(reading.ReadingHandler, acting.GarbageCollectionHandler):
    """`garbage`: looked for, deleted."""


_WITH_ACTIONS = {"deployments/{name}": _Deployment, "garbage": _Garbage}

#: (pattern below the server's base URL, handler, what the handler is told).
ROUTES: list[tuple[str, type[RequestHandler], dict[str, Any]]] = [
    (r"/bento-jupyter/overview", reading.OverviewHandler, {}),
    (r"/bento-jupyter/changes", reading.ChangesHandler, {}),
    (r"/bento-jupyter/traffic", reading.TrafficHandler, {}),
    (r"/bento-jupyter/contexts", reading.ContextsHandler, {}),
    (r"/bento-jupyter/contexts/states", reading.ContextStatesHandler, {}),
    (r"/bento-jupyter/contexts/(?P<action>current|forget)", delegating.ContextHandler, {}),
    (r"/bento-jupyter/login", delegating.LoginHandler, {}),
    (r"/bento-jupyter/jobs/(?P<key>[0-9a-f]+)", delegating.JobHandler, {}),
    (r"/bento-jupyter/bentos", reading.BentosHandler, {}),
    (rf"/bento-jupyter/bentos/{_VERSION}/push", delegating.PushHandler, {}),
    (rf"/bento-jupyter/bentos/{_VERSION}/export", delegating.ExportHandler, {}),
    (r"/bento-jupyter/form", acting.FormHandler, {}),
    (r"/bento-jupyter/plan", acting.PlanHandler, {}),
    (r"/bento-jupyter/deploy", acting.DeployHandler, {}),
    (rf"{_ONE}/interface", reading.InterfaceHandler, {}),
    (rf"{_ONE}/configuration", reading.ConfigurationHandler, {}),
    *(
        (
            "/bento-jupyter/" + item.path.replace("{name}", _NAME).replace("{key}", _KEY),
            _WITH_ACTIONS.get(item.path, reading.ReadingHandler),
            {"reading": item},
        )
        for item in reading.READINGS
    ),
    (rf"{_ONE}/logs/stream", LogStreamHandler, {}),
    (rf"{_ONE}/pages/(?P<path>.*)", PageEntryHandler, {}),
    (rf"/bento-jupyter/pages/(?P<word>[\w-]+)/{_NAME}/(?P<path>.*)", PagesHandler, {}),
    (rf"{_ONE}/(?P<action>start|restart)", acting.DeploymentActionHandler, {}),
    (rf"{_ONE}/terminate", acting.TerminationHandler, {}),
    (rf"{_ONE}/rollback", acting.RollbackHandler, {}),
    (rf"/bento-jupyter/{_PACKAGE}", acting.PackageDeletionHandler, {}),
    (r"/bento-jupyter/cloud/start-on", delegating.StartHandler, {}),
    (r"/bento-jupyter/cloud/start", acting.CloudStartHandler, {}),
    (r"/bento-jupyter/cloud/stop", acting.CloudStopHandler, {}),
]
