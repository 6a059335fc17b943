"""API tokens on the wire (T1-T4 of the contract). A token's value is in the answer to T2 and nowhere else."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from ...errors import NotFoundError
from ...spec import utc_now
from ..store import ApiTokenRecord
from .calls import Call
from .context import Cloud, cloud_of
from .exchange import answer, number, read
from .identity import organization, owner
from .schemas import ApiToken, CreateApiToken, ListOf, ListQuery

__all__ = ["routes"]


async def list_all(request: Request) -> Response:
    """The tokens that were given out, newest first (T1)."""
    search = request.query_params.get("search", "")
    found = [_token(record) for record in cloud_of(request).store.tokens.all() if search in record.name]
    return answer(ListOf[ApiToken].page(found, number(request, "start", 0) or 0, number(request, "count")))


async def create(request: Request) -> Response:
    """Make a token; its value is in this answer and nowhere else (T2)."""
    body = await read(request, CreateApiToken)
    cloud = cloud_of(request)
    record, value = cloud.store.tokens.create(
        name=body.name,
        description=body.description,
        scopes=("api",) if body.scopes is None else body.scopes,
        expired_at=body.expired_at,
    )
    _tokens_changed(cloud)
    response = answer(_token(record).model_copy(update={"token": value}))
    response.headers["cache-control"] = "no-store"
    return response


async def get(request: Request) -> Response:
    """One token (T3)."""
    uid = request.path_params["uid"]
    record = cloud_of(request).store.tokens.get(uid)
    if record is None:
        raise NotFoundError(f"there is no API token {uid!r}")
    return answer(_token(record))


async def delete(request: Request) -> Response:
    """Make a token worthless (T4)."""
    cloud = cloud_of(request)
    record = cloud.store.tokens.get(request.path_params["uid"])
    cloud.store.tokens.delete(request.path_params["uid"])
    _tokens_changed(cloud)
    assert record is not None
    return answer(_token(record))


def _tokens_changed(cloud: Cloud) -> None:
    """Have the gateway told who may call protected deployments from now on."""
    for record in cloud.store.deployments.all():
        if record.config["access_authorization"]:
            cloud.controller.changed(record.name)


def _token(record: ApiTokenRecord) -> ApiToken:
    return ApiToken(
        uid=record.uid,
        name=record.name,
        description=record.description,
        scopes=list(record.scopes),
        user=owner(),
        organization=organization(),
        created_at=record.created_at,
        updated_at=record.created_at,
        expired_at=record.expired_at,
        last_used_at=record.last_used_at,
        is_expired=record.expired_at is not None and record.expired_at <= utc_now(),
    )


routes = [
    Call("GET /api/v1/api_tokens", list_all, query=ListQuery, answer=ListOf[ApiToken]),
    Call("POST /api/v1/api_tokens", create, body=CreateApiToken, answer=ApiToken),
    Call("GET /api/v1/api_tokens/{uid}", get, answer=ApiToken),
    Call("DELETE /api/v1/api_tokens/{uid}", delete, answer=ApiToken),
]
