"""The OpenAPI document: every call of the control plane is in it, as it is served."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute

from bento_jupyter.cloud.api.calls import Call, calls_of
from bento_jupyter.cloud.api.exchange import answer, query, read
from bento_jupyter.cloud.api.openapi import describe
from bento_jupyter.cloud.app import create_app
from bento_jupyter.cloud.settings import CloudSettings
from bento_jupyter.home import Home


@pytest.fixture
def app(tmp_path) -> Starlette:
    return create_app(CloudSettings(home=Home(tmp_path)))


def test_every_route_of_the_api_is_a_declared_call(app):
    undeclared = [
        route.path
        for route in app.routes
        if isinstance(route, Route) and route.path.startswith("/api/") and not isinstance(route, Call)
    ]
    assert undeclared == []
    others = {type(route) for route in app.routes} - {Call, Route, WebSocketRoute}
    assert not others, "mounted applications would not be described"


def test_the_document_has_every_call_and_all_it_refers_to(app):
    document = describe(calls_of(app.routes)).model_dump()
    described = {
        (method.upper(), path) for path, operations in document["paths"].items() for method in operations
    }
    assert described == {(call.method, call.path) for call in calls_of(app.routes)}

    def references(node):
        if isinstance(node, dict):
            yield from ([node["$ref"]] if isinstance(node.get("$ref"), str) else [])
            for value in node.values():
                yield from references(value)
        elif isinstance(node, list):
            for value in node:
                yield from references(value)

    schemas = document["components"]["schemas"]
    missing = [name for name in references(document) if name.rpartition("/")[2] not in schemas]
    assert missing == []
    names = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["summary"], path


def test_the_document_is_served_to_who_has_a_token(cloud):
    document = cloud.http.get("/api/bj/v1/openapi.json").raise_for_status().json()
    assert document["openapi"].startswith("3.1")
    assert "/api/bj/v1/openapi.json" in document["paths"]
    assert cloud.http.get("/api/bj/v1/openapi.json", headers={"X-YATAI-API-TOKEN": ""}).status_code == 401


class Asked(BaseModel):
    number: int = 0


class Told(BaseModel):
    number: int = 0


async def _ask(call: Call, request: Request) -> Response:
    scope = {"type": "http", "path": "/x", "method": call.method, "headers": [], "query_string": b""}
    _, child = call.matches(scope)
    return await call._serve(Request({**scope, **child}))


def test_a_handler_that_parts_from_its_declaration_fails():
    async def wrong_answer(request: Request) -> Response:
        """Answer."""
        return answer(Told())

    async def wrong_query(request: Request) -> Response:
        """Answer."""
        return answer(query(request, Asked))

    async def wrong_body(request: Request) -> Response:
        """Answer."""
        return answer(await read(request, Asked))

    for handler, declared in ((wrong_answer, Asked), (wrong_query, Asked), (wrong_body, Asked)):
        with pytest.raises(TypeError):
            asyncio.run(_ask(Call("GET /x", handler, answer=declared), Request({"type": "http"})))

    async def right(request: Request) -> Response:
        """Answer."""
        return answer(query(request, Asked))

    call = Call("GET /x", right, query=Asked, answer=Asked)
    assert asyncio.run(_ask(call, Request({"type": "http"}))).body == b'{"number":0}'
