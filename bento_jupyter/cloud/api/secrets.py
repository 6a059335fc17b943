"""Secrets (S1-S5 of the contract): this cloud keeps none, and says so."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ...errors import NotFoundError
from .exchange import answer
from .schemas import ListOf, Resource

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
    Route("/api/v1/org_secrets", list_all, methods=["GET"]),
    Route("/api/v1/org_secrets", create, methods=["POST"]),
    Route("/api/v1/org_secrets/{name}", unknown, methods=["GET", "PATCH", "DELETE"]),
]
