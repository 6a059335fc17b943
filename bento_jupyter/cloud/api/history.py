"""`/api/bj/v1/deployments/{name}`: what happened to a deployment, its revisions, and how to go back."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from ...errors import ConflictError, NotFoundError
from ...insight import RevisionView
from ...views import DeploymentView, Event
from ..revisions import describe_revisions
from ..store import DeploymentRecord
from .calls import Call
from .context import Cloud, cloud_of
from .exchange import answer, query, read
from .schemas import Count

__all__ = ["roll_back", "routes"]

MOST_EVENTS = 1000


class EventsQuery(BaseModel):
    """How many events, from the newest on."""

    count: Count = 100


class Events(BaseModel):
    """Events, newest first."""

    events: Sequence[Event]


class Revisions(BaseModel):
    """Revisions, newest first."""

    revisions: Sequence[RevisionView]


class Rollback(BaseModel):
    """Which revision is to be taken up again."""

    revision: int = Field(ge=1, le=10**18)


async def list_events(request: Request) -> Response:
    """What happened to a deployment, newest first, each with reason and revision."""
    cloud = cloud_of(request)
    record = cloud.store.deployments.require(request.path_params["name"])
    most = min(query(request, EventsQuery).count, MOST_EVENTS)
    return answer(Events(events=cloud.store.events.of(record.name, record.created_at, most)))


async def list_revisions(request: Request) -> Response:
    """The revisions of a deployment, newest first, each with what differs from the one before."""
    records = cloud_of(request).store.deployments.revisions(request.path_params["name"])
    return answer(Revisions(revisions=describe_revisions(records)[::-1]))


async def rollback(request: Request) -> Response:
    """Make a new revision that asks for what an earlier one asked for."""
    wanted = await read(request, Rollback)
    cloud = cloud_of(request)
    return _changed(cloud, roll_back(cloud, request.path_params["name"], wanted.revision))


async def start(request: Request) -> Response:
    """Start a terminated deployment again, as it was."""
    cloud = cloud_of(request)
    return _changed(cloud, cloud.store.deployments.start(request.path_params["name"]))


async def restart(request: Request) -> Response:
    """Replace all instances by new ones; the old ones answer until the new ones are ready."""
    cloud = cloud_of(request)
    return _changed(cloud, cloud.store.deployments.restart(request.path_params["name"]))


def roll_back(cloud: Cloud, name: str, number: int) -> DeploymentRecord:
    """Give a deployment a new revision with the Bento and configuration of an earlier one.

    Raises:
        NotFoundError: There is no such deployment or revision, or its Bento is gone.
        ConflictError: That revision is the active one.
    """
    records = cloud.store.deployments.revisions(name)
    earlier = next((record for record in records if record.number == number), None)
    if earlier is None:
        raise NotFoundError(
            f"deployment {name!r} has no revision {number}", hint=f"it has 1 to {records[-1].number}"
        )
    if earlier.active:
        raise ConflictError(
            f"revision {number} is the active one already", hint=f"%bento_status {name} --revisions shows all"
        )
    bento, _, version = earlier.bento.partition(":")
    cloud.store.require_servable(bento, version)
    return cloud.store.deployments.update(
        name, bento=earlier.bento, config=earlier.config, note=f"back to revision {number}"
    )


def _changed(cloud: Cloud, record: DeploymentRecord) -> Response:
    cloud.controller.changed(record.name)
    return answer(cloud.view(record.name))


_ONE = "/api/bj/v1/deployments/{name}"
routes = [
    Call(f"GET {_ONE}/events", list_events, query=EventsQuery, answer=Events),
    Call(f"GET {_ONE}/revisions", list_revisions, answer=Revisions),
    Call(f"POST {_ONE}/rollback", rollback, body=Rollback, answer=DeploymentView),
    Call(f"POST {_ONE}/start", start, answer=DeploymentView),
    Call(f"POST {_ONE}/restart", restart, answer=DeploymentView),
]
