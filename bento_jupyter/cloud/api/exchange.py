"""Reading requests and writing answers: JSON in, pydantic between, errors in the form each API has."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ...errors import (
    BentoJupyterError,
    ConflictError,
    DamagedContentError,
    InvalidRequestError,
    NotFoundError,
    NotLoggedInError,
    StorageFullError,
)
from ..store import says_disk_is_full

__all__ = [
    "EXCEPTION_HANDLERS",
    "ModelResponse",
    "answer",
    "answer_page",
    "number",
    "parse",
    "query",
    "read",
    "refusal",
]

logger = logging.getLogger(__name__)

ModelT = TypeVar("ModelT", bound=BaseModel)

#: Bodies other than uploads are configurations and manifests.
LARGEST_BODY = 16 * 1024 * 1024
#: Larger ones are decoded in a thread, since all else waits for the loop.
LARGEST_AT_ONCE = 1024 * 1024

_STATUS = {
    InvalidRequestError: 400,
    NotLoggedInError: 401,
    NotFoundError: 404,
    ConflictError: 409,
    DamagedContentError: 409,
    StorageFullError: 507,
}


async def read(request: Request, model: type[ModelT], largest: int = LARGEST_BODY) -> ModelT:
    """The request's JSON body as `model`.

    Args:
        request: The request.
        model: What it should be.
        largest: Bytes that it may have.

    Raises:
        InvalidRequestError: It is no JSON, too large, or does not fit; the message names the field.
        TypeError: The call was declared with another body.
    """
    _require_declared(request, "body", model)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > largest:
            raise InvalidRequestError(f"the body is larger than {largest // 1024**2} MiB")
    if len(body) > LARGEST_AT_ONCE:
        return await asyncio.to_thread(_decoded, body, model)
    return _decoded(body, model)


def _decoded(body: bytearray, model: type[ModelT]) -> ModelT:
    try:
        content = json.loads(body)
        # Half a surrogate pair could be stored, but never be answered.
        json.dumps(content, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError(f"the body is no JSON: {error}") from error
    return parse(model, content)


def parse(model: type[ModelT], content: object) -> ModelT:
    """`content` as `model`.

    Raises:
        InvalidRequestError: It does not fit; the message names the first field that does not.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        what = first["msg"].removeprefix("Value error, ")
        raise InvalidRequestError(f"{where}: {what}" if where else what) from error


def query(request: Request, model: type[ModelT]) -> ModelT:
    """The request's query string as `model`; the client sends absent parameters as empty ones.

    Raises:
        InvalidRequestError: It does not fit; the message names the first parameter that does not.
        TypeError: The call was declared with another query.
    """
    _require_declared(request, "query", model)
    return parse(model, {name: value for name, value in request.query_params.items() if value})


def _require_declared(request: Request, what: str, model: type[BaseModel]) -> None:
    call = request.scope.get("call")
    declared = getattr(call, what, None)
    if call is not None and declared is not model:
        raise TypeError(f"{request.method} {call.path} reads {model.__name__}, but declares {declared}")


def number(request: Request, name: str, default: int | None = None) -> int | None:
    """A query parameter that is a whole number from 0 on; the client sends absent ones as empty.

    Raises:
        InvalidRequestError: It is none.
    """
    text = request.query_params.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 18:  # SQLite's integers have 64 bits
        raise InvalidRequestError(f"{name}={text!r} is not a whole number")
    return int(text)


class ModelResponse(Response):
    """An answer made of models.

    Attributes:
        models: Their classes.
    """

    media_type = "application/json"

    def __init__(self, content: bytes, models: frozenset[type[BaseModel]]) -> None:
        super().__init__(content)
        self.models = models


def answer(content: BaseModel | Sequence[BaseModel]) -> Response:
    """`content` as JSON. The status is 200: the client takes every other one for an error."""
    if isinstance(content, BaseModel):
        return ModelResponse(content.model_dump_json().encode(), frozenset({type(content)}))
    body = b"[" + b",".join(item.model_dump_json().encode() for item in content) + b"]"
    return ModelResponse(body, frozenset(map(type, content)))


def answer_page(model: type[BaseModel], items: Sequence[bytes], start: int, total: int) -> Response:
    """A part of a list whose items are written already.

    Args:
        model: What that is, a `schemas.ListOf`.
        items: JSON.
        start: How many come before them.
        total: How many there are in all.
    """
    head = f'{{"start":{start},"count":{len(items)},"total":{total},"items":['
    return ModelResponse(head.encode() + b",".join(items) + b"]}", frozenset({model}))


def refusal(path: str, status: int, message: str, hint: str = "") -> JSONResponse:
    """An error, in the form of the API that `path` belongs to.

    The `bentoml` client shows the body of `/api/v1` and `/api/v2` as it is, so that is one short line.
    """
    if path.startswith("/api/bj/"):
        return JSONResponse({"message": message, "hint": hint}, status)
    return JSONResponse({"error": f"{message} ({hint})" if hint else message}, status)


async def _on_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, BentoJupyterError)
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 500)
    return refusal(request.url.path, status, error.message, error.hint)


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = error.detail
    if error.status_code in (404, 405) and message == HTTPStatus(error.status_code).phrase:
        message = f"the embedded cloud has no {request.method} {request.url.path}"
    return refusal(request.url.path, error.status_code, message)


async def _on_defect(request: Request, error: Exception) -> Response:
    logger.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return refusal(
        request.url.path,
        500,
        f"the embedded cloud failed: {type(error).__name__}",
        "its log, cloud.log, has the details",
    )


async def _on_disk_error(request: Request, error: Exception) -> Response:
    if not says_disk_is_full(error):
        return await _on_defect(request, error)
    logger.error("%s %s: %s", request.method, request.url.path, error)
    return refusal(
        request.url.path,
        507,
        "the cloud's disk is full; nothing was changed",
        "make room and try again: bento-jupyter cloud gc deletes what nobody needs",
    )


#: For Starlette.
EXCEPTION_HANDLERS = {
    OSError: _on_disk_error,
    OperationalError: _on_disk_error,
    BentoJupyterError: _on_refusal,
    HTTPException: _on_http_error,
    Exception: _on_defect,
}
