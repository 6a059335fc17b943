"""Calls: one declaration per route, which serves it and describes it.

The application's routes and the OpenAPI document (`openapi.py`) are made of the same declarations. What a
handler reads and answers is checked against them while it serves, so the two cannot part unseen.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import Scope

from .exchange import ModelResponse

__all__ = ["ARCHIVE", "BYTES", "NDJSON", "Call", "calls_of"]

Handler = Callable[[Request], Awaitable[Response]]

ARCHIVE = "application/x-tar"
BYTES = "application/octet-stream"
NDJSON = "application/x-ndjson"


class Call(Route):
    """A call of the control plane: `METHOD path`, who answers it, and what crosses the border.

    Args:
        declared: Method and path, e.g. `GET /api/v2/deployments/{name}`.
        handler: Answers it. The first paragraph of its docstring is the call's summary.
        query: What its query string may say.
        body: What its JSON body is.
        upload: Media type of a body that is no JSON.
        answer: What it answers with; a list of one model = an array; None = no JSON.
        also: Other answers: media type -> model of one line; None = bytes.
        open_to_all: It asks for no token.

    Example:
        >>> Call("GET /api/bj/v1/cloud", get_cloud, answer=CloudView)  # doctest: +SKIP
    """

    def __init__(
        self,
        declared: str,
        handler: Handler,
        *,
        query: type[BaseModel] | None = None,
        body: type[BaseModel] | None = None,
        upload: str = "",
        answer: type[BaseModel] | list[type[BaseModel]] | None = None,
        also: Mapping[str, type[BaseModel] | None] | None = None,
        open_to_all: bool = False,
    ) -> None:
        self.method, _, path = declared.partition(" ")
        self.handler = handler
        self.query = query
        self.body = body
        self.upload = upload
        self.answer = answer
        self.also = dict(also or {})
        self.open_to_all = open_to_all
        super().__init__(path, self._serve, methods=[self.method])

    @property
    def summary(self) -> str:
        """What it does, in words."""
        return " ".join((self.handler.__doc__ or "").strip().partition("\n\n")[0].split())

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """See `Route`; what reads the request finds the declaration in its scope."""
        match, child = super().matches(scope)
        return match, ({**child, "call": self} if match is Match.FULL else child)

    async def _serve(self, request: Request) -> Response:
        response = await self.handler(request)
        if isinstance(response, ModelResponse):
            declared = self.answer[0] if isinstance(self.answer, list) else self.answer
            if declared is None or not all(issubclass(model, declared) for model in response.models):
                raise TypeError(
                    f"{self.method} {self.path} answers {response.models}, which it did not declare"
                )
        return response


def calls_of(routes: list[BaseRoute]) -> list[Call]:
    """The calls among some routes."""
    return [route for route in routes if isinstance(route, Call)]
