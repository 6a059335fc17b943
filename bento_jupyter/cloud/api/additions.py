"""`/api/bj/v1`: what BentoCloud's client contract lacks. The calls are listed in docs/architecture.md."""

from __future__ import annotations

import os
from collections.abc import Sequence

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ... import __version__
from ...spec import CloudView, DeploymentView, Event, InstanceState, LogLine
from .calls import NDJSON, Call
from .context import cloud_of
from .exchange import answer, query
from .schemas import Count
from .streams import ndjson

__all__ = ["routes"]

MOST_LOG_LINES = 10_000


class DeploymentViews(BaseModel):
    """All deployments, and the newest event they include."""

    deployments: Sequence[DeploymentView]
    event_id: int


class LogQuery(BaseModel):
    """Which lines of a log: the newest `lines` of `source` (an instance, or `image`), and what follows."""

    lines: Count = 100
    source: str = ""
    follow: bool = False


class EventsQuery(BaseModel):
    """Which events: those after the one with this id; without it from now on."""

    after: Count | None = None


class LogLines(BaseModel):
    """A part of a log, oldest first."""

    lines: Sequence[LogLine]


async def get_cloud(request: Request) -> Response:
    """The cloud as a whole."""
    cloud = cloud_of(request)
    views = cloud.controller.views()
    up = (InstanceState.STARTING, InstanceState.READY, InstanceState.DRAINING)
    return answer(
        CloudView(
            endpoint=cloud.endpoint,
            pid=os.getpid(),
            version=__version__,
            started_at=cloud.started_at,
            deployments=sum(not record.terminated for record in cloud.store.deployments.all()),
            instances=sum(instance.state in up for view in views for instance in view.instances),
            event_id=cloud.store.events.last_id(),
        )
    )


async def list_deployments(request: Request) -> Response:
    """All deployments. The event id is read first: an event after it may be in the views already."""
    cloud = cloud_of(request)
    event_id = cloud.store.events.last_id()
    return answer(DeploymentViews(deployments=cloud.controller.views(), event_id=event_id))


async def get_deployment(request: Request) -> Response:
    """One deployment."""
    return answer(cloud_of(request).view(request.path_params["name"]))


async def get_logs(request: Request) -> Response:
    """The newest lines of a deployment's logs; with `follow=true` what comes, too."""
    cloud = cloud_of(request)
    name = cloud.view(request.path_params["name"]).name
    wanted = query(request, LogQuery)
    lines, source = min(wanted.lines, MOST_LOG_LINES), wanted.source or None
    if wanted.follow:
        return ndjson(cloud.controller.follow_log(name, source, lines), cloud.stopping)
    return answer(LogLines(lines=cloud.controller.log_lines(name, lines, source)))


async def start(request: Request) -> Response:
    """Start a terminated deployment again."""
    cloud = cloud_of(request)
    record = cloud.store.deployments.start(request.path_params["name"])
    cloud.controller.changed(record.name)
    return answer(cloud.view(record.name))


async def follow_events(request: Request) -> Response:
    """The change feed."""
    cloud = cloud_of(request)
    return ndjson(cloud.controller.events.subscribe(query(request, EventsQuery).after), cloud.stopping)


async def shut_down(request: Request) -> Response:
    """Stop everything; the answer comes before the end."""
    cloud_of(request).shut_down()
    return JSONResponse({})


_ONE = "/api/bj/v1/deployments/{name}"
routes = [
    Call("GET /api/bj/v1/cloud", get_cloud, answer=CloudView),
    Call("GET /api/bj/v1/deployments", list_deployments, answer=DeploymentViews),
    Call(f"GET {_ONE}", get_deployment, answer=DeploymentView),
    Call(f"GET {_ONE}/logs", get_logs, query=LogQuery, answer=LogLines, also={NDJSON: LogLine}),
    Call(f"POST {_ONE}/start", start, answer=DeploymentView),
    Call("GET /api/bj/v1/events", follow_events, query=EventsQuery, also={NDJSON: Event}),
    Call("POST /api/bj/v1/shutdown", shut_down, also={"application/json": None}),
]
