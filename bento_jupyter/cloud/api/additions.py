"""`/api/bj/v1`: the cloud as a whole, its change feed, and its end."""

from __future__ import annotations

import os

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from ... import __version__
from ...views import CloudView, Event, NodeView
from ..engines import Engine
from .calls import NDJSON, Call
from .context import cloud_of
from .exchange import answer, query
from .schemas import Count, Done
from .streams import ndjson

__all__ = ["routes"]


class FeedQuery(BaseModel):
    """Which events: those after the one with this id; without it from now on."""

    after: Count | None = None


async def get_cloud(request: Request) -> Response:
    """The cloud as a whole."""
    cloud = cloud_of(request)
    return answer(
        CloudView(
            endpoint=cloud.endpoint,
            pid=os.getpid(),
            version=__version__,
            started_at=cloud.started_at,
            deployments=cloud.store.deployments.count(terminated=False),
            instances=cloud.controller.instances_up(),
            event_id=cloud.store.events.last_id(),
            zygotes=list(cloud.controller.engine.prepared()),
            engine=cloud.settings.engine,
            nodes=_nodes(cloud.controller.engine),
        )
    )


def _nodes(engine: Engine) -> list[NodeView]:
    """The machines of an engine, each with what runs there."""
    states = engine.observe()
    return [
        NodeView(
            name=node.name,
            cpus=node.cpus,
            memory_bytes=node.memory_bytes,
            gpus=node.gpus,
            free_gpus=node.free_gpus,
            instances=[each.id for each in states if each.node == node.name],
        )
        for node in engine.capacity()
    ]


async def follow_events(request: Request) -> Response:
    """The change feed: an event per line, without end, and a blank line in silences.

    With an `after` that is too old an event of kind `cloud` comes first: look at everything again.
    """
    cloud = cloud_of(request)
    return ndjson(cloud.controller.events.subscribe(query(request, FeedQuery).after), cloud.stopping)


async def shut_down(request: Request) -> Response:
    """Stop everything; the answer comes before the end."""
    cloud_of(request).shut_down()
    return answer(Done())


routes = [
    Call("GET /api/bj/v1/cloud", get_cloud, answer=CloudView),
    Call("GET /api/bj/v1/events", follow_events, query=FeedQuery, also={NDJSON: Event}),
    Call("POST /api/bj/v1/shutdown", shut_down, answer=Done),
]
