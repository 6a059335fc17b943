"""Who may cross the border: the `Host` guard and the token guard, around everything else."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from ...errors import NotLoggedInError
from ..hosts import is_trusted_host
from ..settings import CloudSettings
from ..store.tokens import OWNER_SCOPE, SCOPES, Area, scopes_for
from .context import Cloud
from .exchange import refusal

__all__ = ["HostGuard", "TokenGuard", "presented_token"]

logger = logging.getLogger(__name__)

#: The two calls that a client makes in order to get a token.
OPEN_PATHS = frozenset({"/api/v1/auth/code", "/api/v1/auth/token"})
GUARDED_PREFIXES = ("/api/", "/ws/", "/metrics")
#: What a call is about, by the beginning of its path; what is not named here is for those who may do
#: everything: tokens, shutdown, and whatever somebody forgets to name.
AREAS: Mapping[str, Area] = {
    "/api/v1/bento_repositories": "organization",
    "/api/v1/bentos": "organization",
    "/api/v1/model_repositories": "organization",
    "/api/v1/models": "organization",
    "/api/v1/org_secrets": "organization",
    "/api/bj/v1/bentos": "organization",
    "/api/bj/v1/models": "organization",
    "/api/bj/v1/secrets": "organization",
    "/api/v2/deployments": "cluster",
    "/api/v1/instance_types": "cluster",
    "/api/bj/v1/cloud": "cluster",
    "/api/bj/v1/deployments": "cluster",
    "/api/bj/v1/events": "cluster",
    "/api/bj/v1/images": "cluster",
    "/api/bj/v1/instance_types": "cluster",
    "/metrics": "cluster",
    "/ws": "cluster",
}
READING_PATCH = "/presign_download_url"
#: For every token: who one is, where, and what can be asked.
COMMON_PATHS = frozenset({"/api/v1/auth/current", "/api/v1/current_org", "/api/bj/v1/openapi.json"})


class HostGuard:
    """Answers 403 unless `Host` names this machine; see `hosts`."""

    def __init__(self, app: ASGIApp, settings: CloudSettings) -> None:
        self._app = app
        self._names = {settings.host, *settings.public_hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through or refuse."""
        if scope["type"] != "lifespan":
            host = Headers(scope=scope).get("host", "")
            if not is_trusted_host(host, self._names):
                await _refuse(scope, receive, send, status=403, message=f"the cloud is not called {host!r}")
                return
        await self._app(scope, receive, send)


class TokenGuard:
    """Answers 401 to every API call without a valid token, 403 to those its scopes do not allow."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through or refuse."""
        path = scope.get("path", "")
        if scope["type"] == "lifespan" or path in OPEN_PATHS or not path.startswith(GUARDED_PREFIXES):
            await self._app(scope, receive, send)
            return
        cloud: Cloud = scope["app"].state.cloud
        token = cloud.store.tokens.verify(presented_token(Headers(scope=scope)))
        if token is None:
            error = NotLoggedInError(
                "no valid token", hint="bentoml cloud login, or %bento_login in a notebook"
            )
            await _refuse(scope, receive, send, status=401, message=error.message, hint=error.hint)
            return
        if not needed_scopes(scope, path) & set(token.scopes):
            allowed = ", ".join(token.scopes) or "nothing"
            message = f"this token does not allow that; its scopes: {allowed}"
            await _refuse(scope, receive, send, status=403, message=message)
            return
        await self._app(scope, receive, send)


def presented_token(headers: Headers) -> str:
    """The token a request brings: `X-YATAI-API-TOKEN` (the client's), or `Authorization: Bearer`."""
    named = headers.get("x-yatai-api-token")
    if named is not None:
        return named
    scheme, _, value = headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


def needed_scopes(scope: Scope, path: str) -> frozenset[str]:
    """The scopes of which a token needs one for this call."""
    # The client asks by PATCH where it may read an archive.
    reads = scope["type"] != "http" or scope["method"] in ("GET", "HEAD") or path.endswith(READING_PATCH)
    changes = not reads
    if path in COMMON_PATHS and not changes:
        return frozenset(SCOPES)
    for beginning, area in AREAS.items():
        if path == beginning or path.startswith(f"{beginning}/"):
            return scopes_for(area, changes=changes)
    return frozenset({OWNER_SCOPE})


async def _refuse(
    scope: Scope, receive: Receive, send: Send, *, status: int, message: str, hint: str = ""
) -> None:
    logger.info("refused %s with %d: %s", scope["path"], status, message)
    if scope["type"] == "websocket":
        await receive()  # websocket.connect; a close before accepting it is a 403
        await send({"type": "websocket.close", "code": 1008, "reason": message})
        return
    await refusal(scope["path"], status, message, hint)(scope, receive, send)
