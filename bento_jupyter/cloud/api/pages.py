"""Plain pages for a browser: approving a login, and what the client's printed links lead to.

A browser has no token, so the owner's is asked for once; the session then is a cookie that no other
site's page can send (`SameSite=Strict`) and no script can read.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from html import escape
from urllib.parse import parse_qsl, quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from ...errors import NotFoundError
from ...spec import DeploymentView
from ..store.tokens import OWNER_SCOPE
from .auth import LoginCodes
from .context import cloud_of

__all__ = ["Sessions", "routes"]

COOKIE = "bento_jupyter_session"
LARGEST_FORM = 16 * 1024

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse}td,th{text-align:left;padding:.3rem 1rem .3rem 0}"
    ":root{color-scheme:light dark}"
)
_STYLE_HASH = "sha256-" + base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": (
        f"default-src 'none'; style-src '{_STYLE_HASH}'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}

Page = Callable[[Request], Awaitable[Response]]


class Sessions:
    """Browser sessions of this run: proofs that the owner's token was entered."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def cookie(self) -> str:
        """The value of the session's cookie."""
        return hmac.new(self._key, b"owner", hashlib.sha256).hexdigest()

    def holds(self, value: str) -> bool:
        """Whether `value` is that of a session's cookie."""
        return hmac.compare_digest(value.encode(), self.cookie().encode())


def _for_owner(page: Page) -> Page:
    """A page that only the owner sees; others are asked for the token first."""

    async def guarded(request: Request) -> Response:
        sessions: Sessions = request.app.state.sessions
        if sessions.holds(request.cookies.get(COOKIE, "")):
            return await page(request)
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/login?next={quote(here, safe='')}", 303)

    return guarded


async def login(request: Request) -> Response:
    """Ask for the owner's token, once per browser session."""
    following = request.query_params.get("next", "/deployments")
    if not following.startswith("/") or following.startswith(("//", "/\\")):
        following = "/deployments"
    problem = ""
    if request.method == "POST":
        form = await _form(request)
        token = cloud_of(request).store.tokens.verify(form.get("token", "").strip())
        if token is not None and OWNER_SCOPE in token.scopes:  # the pages give out tokens that may do all
            response = RedirectResponse(following, 303)
            sessions: Sessions = request.app.state.sessions
            response.set_cookie(
                COOKIE,
                sessions.cookie(),
                httponly=True,
                samesite="strict",
                secure=request.url.scheme == "https",
            )
            return response
        problem = "<p role=alert><strong>That is not a token of this cloud.</strong></p>"
    token_file = escape(str(cloud_of(request).settings.home.token_file))
    return _page(
        "Log in",
        f"{problem}<form method=post action='/login?next={quote(following, safe='')}'>"
        f"<p><label>Token <input type=password name=token autofocus required autocomplete=off></label> "
        f"<button>Log in</button></p></form><p>The owner's token is in <code>{token_file}</code>.</p>",
    )


async def approve_login(request: Request) -> Response:
    """Where `bentoml cloud login` sends the browser: give the waiting client a token of its own."""
    codes: LoginCodes = request.app.state.login_codes
    code = request.query_params.get("code", "")
    if not codes.is_open(code):
        return _page(
            "Log in", "<p>This login has ended. Run <code>bentoml cloud login</code> again.</p>", 404
        )
    if request.method == "POST":
        _, value = cloud_of(request).store.tokens.create(
            name="browser-login", description="made for bentoml cloud login"
        )
        codes.approve(code, value)
        return _page("Logged in", "<p>You can close this page.</p>")
    return _page(
        "Log in",
        "<p>A <code>bentoml</code> client asks for a token that may do everything in this cloud.</p>"
        f"<form method=post action='/api_tokens?code={quote(code, safe='')}'><button>Allow</button></form>",
    )


async def deployments(request: Request) -> Response:
    """All deployments."""
    rows = "".join(
        f"<tr><td><a href='/deployments/{quote(view.name)}'>{escape(view.name)}</a>"
        f"<td>{escape(view.status.value)}<td>{view.ready}/{view.wanted}<td>{escape(view.bento)}<td>{_link(view)}"
        for view in cloud_of(request).controller.views()
    )
    head = "<tr><th>Name<th>Status<th>Instances<th>Bento<th>URL"
    return _page("Deployments", f"<table>{head}{rows}</table>" if rows else "<p>There are none.</p>")


async def deployment(request: Request) -> Response:
    """One deployment."""
    name = request.path_params["name"]
    cloud = cloud_of(request)
    try:
        view = cloud.view(name)
    except NotFoundError:
        return _page("Not found", f"<p>There is no deployment {escape(name)}.</p>", 404)
    facts = {
        "Status": escape(view.status.value + (f": {view.reason}" if view.reason else "")),
        "Mode": escape(view.mode.value),
        "URL": _link(view),
        "Bento": escape(view.bento),
        "Instances": f"{view.ready} of {view.wanted}",
        "Requests": f"{view.requests} ({view.errors} failed)",
        "Revision": str(view.revision),
    }
    rows = "".join(f"<tr><th>{label}<td>{value}" for label, value in facts.items())
    log = escape("\n".join(line.text for line in cloud.controller.log_lines(name, 50)))
    return _page(name, f"<table>{rows}</table><h2>Log</h2><pre>{log}</pre>")


def _link(view: DeploymentView) -> str:
    return f"<a href='{escape(view.url)}'>{escape(view.url)}</a>" if view.url else ""


async def _form(request: Request) -> dict[str, str]:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM:
            return {}
    return dict(parse_qsl(body.decode("utf-8", errors="replace")))


def _page(title: str, body: str, status: int = 200) -> Response:
    html = (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)} - bento_jupyter</title>"
        f"<style>{_STYLE}</style><h1>{escape(title)}</h1>{body}"
    )
    return HTMLResponse(html, status, headers=_HEADERS)


async def home(_request: Request) -> Response:
    """The root leads to the deployments."""
    return RedirectResponse("/deployments", 303)


routes = [
    Route("/", home),
    Route("/login", login, methods=["GET", "POST"]),
    Route("/api_tokens", _for_owner(approve_login), methods=["GET", "POST"]),
    Route("/deployments", _for_owner(deployments)),
    Route("/deployments/{name}", _for_owner(deployment)),
]
