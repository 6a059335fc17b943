"""Logging in: who am I (A3, A4), and the browser flow of `bentoml cloud login` (A1, A2).

The client fetches a code, opens `/api_tokens?code=<code>` in a browser (`pages.py`) and polls for the
token until the owner has approved the code there.
"""

from __future__ import annotations

import secrets
import time

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from .calls import Call
from .exchange import answer
from .identity import organization, owner
from .schemas import LoginCode, LoginToken, Organization, TokenQuery, User

__all__ = ["LoginCodes", "routes"]


class LoginCodes:
    """Codes of browser logins under way.

    Args:
        lifetime: Seconds a code is good for.
        most: Codes at a time; the oldest gives way.
    """

    def __init__(self, lifetime: float = 600, most: int = 100) -> None:
        self._lifetime = lifetime
        self._most = most
        self._codes: dict[str, tuple[float, str]] = {}

    def issue(self) -> str:
        """A new code."""
        self._forget_old()
        while len(self._codes) >= self._most:
            del self._codes[next(iter(self._codes))]
        code = secrets.token_urlsafe(24)
        self._codes[code] = (time.monotonic(), "")
        return code

    def is_open(self, code: str) -> bool:
        """Whether this code waits for approval."""
        self._forget_old()
        return self._codes.get(code, (0.0, "-"))[1] == ""

    def approve(self, code: str, token: str) -> None:
        """Leave `token` for whoever holds `code`."""
        since, _ = self._codes[code]
        self._codes[code] = (since, token)

    def collect(self, code: str) -> str | None:
        """The token left for this code, once."""
        self._forget_old()
        _, token = self._codes.get(code, (0.0, ""))
        if not token:
            return None
        del self._codes[code]
        return token

    def _forget_old(self) -> None:
        limit = time.monotonic() - self._lifetime
        self._codes = {code: kept for code, kept in self._codes.items() if kept[0] >= limit}


async def issue_code(request: Request) -> Response:
    """A code for a browser login (A1)."""
    codes: LoginCodes = request.app.state.login_codes
    return answer(LoginCode(code=codes.issue()))


async def collect_token(request: Request) -> Response:
    """The token that was left for a code, once; every status but 200 means "not yet" (A2)."""
    codes: LoginCodes = request.app.state.login_codes
    token = codes.collect(request.query_params.get("code", ""))
    if token is None:
        raise HTTPException(404, "the code is not approved")
    response = answer(LoginToken(token=token))
    response.headers["cache-control"] = "no-store"
    return response


async def current_user(_request: Request) -> Response:
    """Who one is logged in as (A3)."""
    return answer(owner())


async def current_organization(_request: Request) -> Response:
    """The organization (A4)."""
    return answer(organization())


routes = [
    Call("GET /api/v1/auth/code", issue_code, answer=LoginCode, open_to_all=True),
    Call("GET /api/v1/auth/token", collect_token, query=TokenQuery, answer=LoginToken, open_to_all=True),
    Call("GET /api/v1/auth/current", current_user, answer=User),
    Call("GET /api/v1/current_org", current_organization, answer=Organization),
]
