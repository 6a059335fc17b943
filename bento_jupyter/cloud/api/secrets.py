"""Secrets on the wire (S1-S5 of the contract). A secret's values come in, and never go out again."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from ..store import SecretItem, SecretRecord
from .calls import Call
from .context import cloud_of
from .exchange import answer, read
from .identity import cluster, owner, require_cluster
from .schemas import (
    ClusterQuery,
    CreateSecret,
    ListOf,
    ListQuery,
    Secret,
    SecretContent,
    SecretKey,
    UpdateSecret,
)

__all__ = ["routes"]


async def list_all(request: Request) -> Response:
    """All secrets that match, whatever `count` says (S1).

    The client asks for 10, always, and never for the next.
    """
    search = request.query_params.get("search", "")
    found = [_secret(record) for record in cloud_of(request).store.secrets.all() if search in record.name]
    return answer(ListOf[Secret].page(found))


async def create(request: Request) -> Response:
    """Make a secret (S2)."""
    require_cluster(request.query_params.get("cluster"))
    body = await read(request, CreateSecret)
    record = cloud_of(request).store.secrets.create(
        body.name,
        kind=body.content.type,
        items=_items(body),
        path=body.content.path,
        stage=body.content.stage or "runtime",
        description=body.description or "",
        creator=owner().name,
    )
    return answer(_secret(record))


async def get(request: Request) -> Response:
    """One secret, without its values (S3)."""
    require_cluster(request.query_params.get("cluster"))
    return answer(_secret(cloud_of(request).store.secrets.require(request.path_params["name"])))


async def update(request: Request) -> Response:
    """Change a secret: instances get the new values when they are started the next time (S4)."""
    require_cluster(request.query_params.get("cluster"))
    body = await read(request, UpdateSecret)
    record = cloud_of(request).store.secrets.update(
        request.path_params["name"],
        kind=body.content.type,
        items=_items(body),
        path=body.content.path,
        stage=body.content.stage or "runtime",
        description=body.description,
    )
    return answer(_secret(record))


async def delete(request: Request) -> Response:
    """Delete a secret; the answer is how it was (S5)."""
    require_cluster(request.query_params.get("cluster"))
    secrets = cloud_of(request).store.secrets
    record = secrets.require(request.path_params["name"])
    secrets.delete(record.name)
    return answer(_secret(record))


def _items(body: UpdateSecret) -> list[SecretItem]:
    return [SecretItem(item.key, item.value, item.sub_path) for item in body.content.items]


def _secret(record: SecretRecord) -> Secret:
    return Secret(
        uid=record.uid,
        name=record.name,
        description=record.description,
        created_at=record.created_at,
        updated_at=record.updated_at,
        creator=owner().model_copy(update={"name": record.creator}),
        cluster=cluster(),
        content=SecretContent(
            type=record.kind,
            path=record.path,
            stage=record.stage,
            items=[SecretKey(key=item.key, sub_path=item.sub_path) for item in record.items],
        ),
    )


routes = [
    Call("GET /api/v1/org_secrets", list_all, query=ListQuery, answer=ListOf[Secret]),
    Call("POST /api/v1/org_secrets", create, query=ClusterQuery, body=CreateSecret, answer=Secret),
    Call("GET /api/v1/org_secrets/{name}", get, query=ClusterQuery, answer=Secret),
    Call("PATCH /api/v1/org_secrets/{name}", update, query=ClusterQuery, body=UpdateSecret, answer=Secret),
    Call("DELETE /api/v1/org_secrets/{name}", delete, query=ClusterQuery, answer=Secret),
]
