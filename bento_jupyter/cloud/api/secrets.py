"""Secrets (S1-S5 of the contract): this cloud keeps none, and says so."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ...errors import NotFoundError
from .calls import Call
from .exchange import answer
from .schemas import ListOf, ListQuery, Resource

__all__ = ["routes"]


async def list_all(_request: Request) -> Response:
    """S1: there are none."""
    return answer(ListOf[Resource].page([]))


async def create(_request: Request) -> Response:
    """S2: refused."""
    raise HTTPException(501, "the embedded cloud keeps no secrets; pass values as envs")


async def unknown(request: Request) -> Response:
    """S3, S4, S5."""
    raise NotFoundError(f"there is no secret {request.path_params['name']!r}")


routes = [
    Call("GET /api/v1/org_secrets", list_all, query=ListQuery, answer=ListOf[Resource]),
    Call("POST /api/v1/org_secrets", create),
    Call("GET /api/v1/org_secrets/{name}", unknown),
    Call("PATCH /api/v1/org_secrets/{name}", unknown),
    Call("DELETE /api/v1/org_secrets/{name}", unknown),
]
