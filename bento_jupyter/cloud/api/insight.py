"""`/api/bj/v1/deployments`: how deployments are: views, instances, logs, metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from ...insight import MetricsView
from ...views import DeploymentView, InstanceView, LogLine
from ..logsearch import Filter, filtered
from .calls import NDJSON, Call
from .context import cloud_of
from .exchange import answer, query
from .schemas import Count, Instant
from .streams import ndjson

__all__ = ["routes"]

MOST_LOG_LINES = 10_000
LONGEST_PATTERN = 1000


class ViewsQuery(BaseModel):
    """Which part of all deployments: `count` (absent = all) from `start` on, oldest first."""

    start: Count = 0
    count: Count | None = None


class DeploymentViews(BaseModel):
    """Deployments, and the newest event they include."""

    deployments: Sequence[DeploymentView]
    total: int
    event_id: int


class InstanceViews(BaseModel):
    """Instances, newest last."""

    instances: Sequence[InstanceView]


class LogQuery(BaseModel):
    """Which lines of a log.

    The newest `lines` of `source` (an instance, or `image`; absent = all) that hold the text `q` (with
    `regex`: match it) and were written `since` a time; with `follow` also what comes, without end.
    """

    lines: Count = 100
    source: str = ""
    q: str = Field("", max_length=LONGEST_PATTERN)
    regex: bool = False
    since: Instant | None = None
    follow: bool = False


class LogLines(BaseModel):
    """A part of a log, oldest first."""

    lines: Sequence[LogLine]


class MetricsQuery(BaseModel):
    """Which points: one per second of the last 15 minutes, or one per minute of the last day."""

    step: Literal["1", "60"] = "1"


async def list_deployments(request: Request) -> Response:
    """Deployments as they are now, oldest first, and the id of the newest event that they include."""
    cloud = cloud_of(request)
    wanted = query(request, ViewsQuery)
    event_id = cloud.store.events.last_id()  # first: an event after it may be in the views already
    views, total = cloud.controller.some_views(wanted.start, wanted.count)
    return answer(DeploymentViews(deployments=views, total=total, event_id=event_id))


async def get_deployment(request: Request) -> Response:
    """One deployment as it is now, with the reason for its state."""
    return answer(cloud_of(request).view(request.path_params["name"]))


async def list_instances(request: Request) -> Response:
    """The instances of a deployment: state and why, age, memory, CPU, how they came up."""
    return answer(InstanceViews(instances=cloud_of(request).view(request.path_params["name"]).instances))


async def get_logs(request: Request) -> Response:
    """The newest lines of a deployment's logs, or those that a search finds; as they come with `follow`."""
    cloud = cloud_of(request)
    name = cloud.view(request.path_params["name"]).name
    wanted = query(request, LogQuery)
    lines, source = min(wanted.lines, MOST_LOG_LINES), wanted.source or None
    # The first pattern brings in the library that matches it.
    select = await asyncio.to_thread(Filter, wanted.q, regex=wanted.regex, since=wanted.since)
    if wanted.follow:
        return ndjson(filtered(cloud.controller.follow_log(name, source, lines), select), cloud.stopping)
    if select.takes_all:
        return answer(LogLines(lines=await cloud.controller.log_lines(name, lines, source)))
    return answer(LogLines(lines=await cloud.controller.search_log(name, select, lines, source)))


async def get_metrics(request: Request) -> Response:
    """Requests, errors, latency, queue, instances over time, and the newest cold starts with their phases."""
    cloud = cloud_of(request)
    name = cloud.view(request.path_params["name"]).name
    return answer(cloud.controller.metrics(name, int(query(request, MetricsQuery).step)))


_ONE = "/api/bj/v1/deployments/{name}"
routes = [
    Call("GET /api/bj/v1/deployments", list_deployments, query=ViewsQuery, answer=DeploymentViews),
    Call(f"GET {_ONE}", get_deployment, answer=DeploymentView),
    Call(f"GET {_ONE}/instances", list_instances, answer=InstanceViews),
    Call(f"GET {_ONE}/logs", get_logs, query=LogQuery, answer=LogLines, also={NDJSON: LogLine}),
    Call(f"GET {_ONE}/metrics", get_metrics, query=MetricsQuery, answer=MetricsView),
]
