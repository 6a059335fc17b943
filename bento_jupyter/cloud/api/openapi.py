"""The OpenAPI 3.1 document of the control plane, made of the declared calls and the models they name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from starlette.requests import Request
from starlette.responses import Response

from ... import __version__
from .calls import Call, calls_of
from .exchange import answer

__all__ = ["OpenApi", "Problem", "WireProblem", "describe", "document_of", "routes"]

Schema = dict[str, Any]
Mode = Literal["validation", "serialization"]

REFERENCE = "#/components/schemas/{model}"
DESCRIPTION = (
    "The embedded cloud of bento_jupyter. `/api/v1` and `/api/v2` are BentoCloud's calls, as the unmodified "
    "`bentoml` client makes them; `/api/bj/v1` is what those lack. Beside these calls there are the "
    "WebSockets `/ws/v1/clusters/{cluster}/pods`, `/ws/v1/clusters/{cluster}/tail` and "
    "`/ws/v2/deployments/{name}/pods`."
)
SECURITY = {
    "token": {"type": "apiKey", "in": "header", "name": "X-YATAI-API-TOKEN"},
    "bearer": {"type": "http", "scheme": "bearer"},
}


class Problem(BaseModel):
    """Why a call of `/api/bj/v1` was refused."""

    message: str
    hint: str = ""


class WireProblem(BaseModel):
    """Why a call of `/api/v1` or `/api/v2` was refused; the `bentoml` client shows it as it is."""

    error: str


class OpenApi(BaseModel):
    """An OpenAPI document."""

    openapi: str
    info: dict[str, Any]
    security: list[dict[str, list[str]]]
    tags: list[dict[str, str]]
    paths: dict[str, Any]
    components: dict[str, Any]


def describe(calls: Sequence[Call]) -> OpenApi:
    """The document of these calls."""
    wanted: list[tuple[type[BaseModel], Mode]] = [(Problem, "serialization"), (WireProblem, "serialization")]
    for call in calls:
        wanted += [(call.body, "validation")] if call.body is not None else []
        wanted += [(model, "serialization") for model in _answers(call)]
    references, definitions = models_json_schema(
        list(dict.fromkeys(wanted)), ref_template=REFERENCE, schema_generator=GenerateJsonSchema
    )
    paths: dict[str, dict[str, Any]] = {}
    for call in calls:
        paths.setdefault(call.path_format, {})[call.method.lower()] = _operation(call, references)
    return OpenApi(
        openapi="3.1.0",
        info={"title": "bento_jupyter embedded cloud", "version": __version__, "description": DESCRIPTION},
        security=[{name: []} for name in SECURITY],
        tags=[{"name": tag} for tag in dict.fromkeys(map(_tag, calls))],
        paths=paths,
        components={"schemas": definitions.get("$defs", {}), "securitySchemes": SECURITY},
    )


def _operation(call: Call, references: Any) -> Schema:
    problem = Problem if call.path.startswith("/api/bj/") else WireProblem
    refusal = {
        "description": "refused",
        "content": _json(references[problem, "serialization"]),
    }
    operation: Schema = {
        "operationId": _operation_id(call),
        "summary": call.summary,
        "tags": [_tag(call)],
        "parameters": [*_path_parameters(call), *_query_parameters(call)],
        "responses": {"200": _answer(call, references), "4XX": refusal, "507": refusal},
    }
    if call.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": _json(references[call.body, "validation"]),
        }
    elif call.upload:
        operation["requestBody"] = {"required": True, "content": {call.upload: {}}}
    if call.open_to_all:
        operation["security"] = []
    return operation


def _answer(call: Call, references: Any) -> Schema:
    content: Schema = {}
    if isinstance(call.answer, list):
        items = references[call.answer[0], "serialization"]
        content = _json({"type": "array", "items": items})
    elif call.answer is not None:
        content = _json(references[call.answer, "serialization"])
    for media, model in call.also.items():
        # A line each: no schema of the whole says that, so it is described by its item.
        content[media] = {} if model is None else {"x-item-schema": references[model, "serialization"]}
    return {"description": "done", **({"content": content} if content else {})}


def _answers(call: Call) -> Iterator[type[BaseModel]]:
    if isinstance(call.answer, list):
        yield call.answer[0]
    elif call.answer is not None:
        yield call.answer
    yield from (model for model in call.also.values() if model is not None)


def _json(schema: Schema) -> Schema:
    return {"application/json": {"schema": schema}}


def _path_parameters(call: Call) -> list[Schema]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in call.param_convertors
    ]


def _query_parameters(call: Call) -> list[Schema]:
    if call.query is None:
        return []
    schema = call.query.model_json_schema(mode="validation")
    required = schema.get("required") or []
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "description": field.get("description", ""),
            "schema": {key: value for key, value in field.items() if key not in ("title", "description")},
        }
        for name, field in schema["properties"].items()
    ]


def _tag(call: Call) -> str:
    """`deployments` of `/api/v2/deployments/{name}`, with whose call it is."""
    ours = call.path.startswith("/api/bj/")
    first = call.path.split("/")[4 if ours else 3]
    noun = re.sub(r"_repositories$", "s", first)
    return f"{noun} (ours)" if ours else noun


def _operation_id(call: Call) -> str:
    words = re.findall(r"[a-z0-9_]+", call.path)
    return "_".join([call.method.lower(), *words[1:]])


def document_of(request: Request) -> OpenApi:
    """The document of the application that a request came to; made once."""
    found: OpenApi | None = getattr(request.app.state, "openapi", None)
    if found is None:
        found = request.app.state.openapi = describe(calls_of(request.app.routes))
    return found


async def get_document(request: Request) -> Response:
    """This document."""
    return answer(document_of(request))


routes = [Call("GET /api/bj/v1/openapi.json", get_document, answer=OpenApi)]
