"""Plain pages for a browser: approving a login, and what the client's printed links lead to.

A browser has no token, so the owner's is asked for once; the session then is a cookie that no other
site's page can send (`SameSite=Strict`) and no script can read. Every port of this machine is the same site,
though, so what a form changes it changes with what only these pages know (`Sessions.csrf`).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl, quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from ...errors import BentoJupyterError, NotFoundError
from ..hosts import SESSION_COOKIE, is_foreign_origin
from ..logsearch import Filter
from ..revisions import describe_revisions
from ..store.tokens import OWNER_SCOPE
from .auth import LoginCodes
from .context import cloud_of
from .deployment_page import Details, badge, deployment_content, path_of
from .docs_page import document_content
from .history import roll_back
from .html import page, table, tag
from .openapi import document_of

__all__ = ["Sessions", "routes"]

LARGEST_FORM = 16 * 1024
LONGEST_SEARCH = 1000
SHOWN_EVENTS = 50
SHOWN_LINES = 200

Handler = Callable[[Request], Awaitable[Response]]


class Sessions:
    """Browser sessions of this run: proofs that the owner's token was entered."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def cookie(self) -> str:
        """The value of the session's cookie."""
        return hmac.new(self._key, b"owner", hashlib.sha256).hexdigest()

    def csrf(self) -> str:
        """What the forms of this session's pages carry, and other sites' pages cannot know."""
        return hmac.new(self._key, b"form", hashlib.sha256).hexdigest()

    def sent(self, value: str) -> bool:
        """Whether a form that carries `value` is one of these pages."""
        return hmac.compare_digest(value.encode(), self.csrf().encode())

    def holds(self, value: str) -> bool:
        """Whether `value` is that of a session's cookie."""
        return hmac.compare_digest(value.encode(), self.cookie().encode())


def _for_owner(handler: Handler) -> Handler:
    """A page that only the owner sees; others are asked for the token first."""

    async def guarded(request: Request) -> Response:
        if _is_of_elsewhere(request):
            return _refused()
        sessions: Sessions = request.app.state.sessions
        if sessions.holds(request.cookies.get(SESSION_COOKIE, "")):
            return await handler(request)
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/login?next={quote(here, safe='')}", 303)

    return guarded


async def login(request: Request) -> Response:
    """Ask for the owner's token, once per browser session."""
    if _is_of_elsewhere(request):
        return _refused()
    following = request.query_params.get("next", "/deployments")
    if not following.startswith("/") or following.startswith(("//", "/\\")):
        following = "/deployments"
    problem = None
    token_file = str(cloud_of(request).settings.home.token_file)
    if request.method == "POST":
        form = await _form(request)
        token = cloud_of(request).store.tokens.verify(form.get("token", "").strip())
        if token is not None and OWNER_SCOPE in token.scopes:  # the pages give out tokens that may do all
            response = RedirectResponse(following, 303)
            sessions: Sessions = request.app.state.sessions
            response.set_cookie(
                SESSION_COOKIE,
                sessions.cookie(),
                httponly=True,
                samesite="strict",
                secure=request.url.scheme == "https",
            )
            return response
        problem = tag("p", tag("strong", "That is not a token of this cloud."), role="alert")
    field = tag("input", type="password", name="token", autofocus=True, required=True, autocomplete="off")
    return page(
        "Log in",
        problem,
        tag(
            "form",
            tag("p", tag("label", "Token ", field), " ", tag("button", "Log in")),
            method="post",
            action=f"/login?next={quote(following, safe='')}",
        ),
        tag("p", "The owner's token is in ", tag("code", token_file), "."),
        navigation=False,
    )


async def approve_login(request: Request) -> Response:
    """Where `bentoml cloud login` sends the browser: give the waiting client a token of its own."""
    codes: LoginCodes = request.app.state.login_codes
    code = request.query_params.get("code", "")
    if not codes.is_open(code):
        ended = tag("p", "This login has ended. Run ", tag("code", "bentoml cloud login"), " again.")
        return page("Log in", ended, status=404)
    sessions: Sessions = request.app.state.sessions
    if request.method == "POST":
        if not sessions.sent((await _form(request)).get("csrf", "")):
            return _refused()
        _, value = cloud_of(request).store.tokens.create(
            name="browser-login", description="made for bentoml cloud login"
        )
        codes.approve(code, value)
        return page("Logged in", tag("p", "You can close this page."))
    return page(
        "Log in",
        tag(
            "p",
            "A ",
            tag("code", "bentoml"),
            " client asks for a token that may do everything in this cloud.",
        ),
        tag(
            "form",
            tag("input", type="hidden", name="csrf", value=sessions.csrf()),
            tag("button", "Allow"),
            method="post",
            action=f"/api_tokens?code={quote(code, safe='')}",
        ),
    )


async def deployments(request: Request) -> Response:
    """All deployments, newest first."""
    views = cloud_of(request).controller.views()[::-1]
    heads = ("Name", "Status", "Why", "Instances", "Mode", "Bento", "URL")
    rows = [
        [
            tag("a", view.name, href=path_of(view)),
            badge(view),
            view.reason,
            f"{view.ready} of {view.wanted}",
            view.mode.full_name,
            tag("code", view.bento),
            tag("a", view.url, href=view.url) if view.url else "",
        ]
        for view in views
    ]
    return page("Deployments", table("Deployments, newest first", heads, rows))


async def deployment(request: Request) -> Response:
    """One deployment: the same as the sidebar's detail view."""
    name = request.path_params["name"]
    cloud = cloud_of(request)
    try:
        view = cloud.view(name)
    except NotFoundError:
        return page("Not found", tag("p", f"There is no deployment {name}."), status=404)
    params = request.query_params
    q, source = params.get("q", "")[:LONGEST_SEARCH], params.get("source", "")
    sessions: Sessions = request.app.state.sessions
    store = cloud.store
    details = Details(
        view=view,
        revisions=describe_revisions(store.deployments.revisions(name))[::-1],
        events=store.events.of(name, view.created_at, SHOWN_EVENTS),
        metrics=cloud.controller.metrics(name, 60 if params.get("step") == "60" else 1),
        lines=await cloud.controller.search_log(name, Filter(q), SHOWN_LINES, source or None)
        if q
        else await cloud.controller.log_lines(name, SHOWN_LINES, source or None),
        q=q,
        source=source,
        csrf=sessions.csrf(),
        here=path_of(view),
    )
    return page(name, *deployment_content(details))


async def act(request: Request) -> Response:
    """A form of a deployment's page: start, restart, terminate, roll back."""
    name, action = request.path_params["name"], request.path_params["action"]
    form = await _form(request)
    sessions: Sessions = request.app.state.sessions
    if not sessions.sent(form.get("csrf", "")):
        return _refused()
    cloud = cloud_of(request)
    try:
        match action:
            case "start":
                cloud.store.deployments.start(name)
            case "restart":
                cloud.store.deployments.restart(name)
            case "terminate":
                cloud.store.deployments.terminate(name)
            case "rollback":
                roll_back(cloud, name, int(form.get("revision", "")))
            case _:
                return page("Not found", tag("p", f"There is nothing like {action}."), status=404)
    except (BentoJupyterError, ValueError) as error:
        return page("Not done", tag("p", str(error), role="alert"), status=409)
    cloud.controller.changed(name)
    return RedirectResponse(f"/deployments/{quote(name)}", 303)


async def docs(request: Request) -> Response:
    """The calls of the API, in words."""
    return page("API", *document_content(document_of(request)))


def _is_of_elsewhere(request: Request) -> bool:
    """Whether a browser says that a page of another site, or of another port, has sent this form."""
    headers = request.headers
    return request.method == "POST" and is_foreign_origin(headers.get("origin", ""), headers.get("host", ""))


def _refused() -> Response:
    again = tag("p", "This form is too old, or not of this page. Load it again.")
    return page("Refused", again, status=403)


async def _form(request: Request) -> dict[str, str]:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM:
            return {}
    return dict(parse_qsl(body.decode("utf-8", errors="replace")))


async def home(_request: Request) -> Response:
    """The root leads to the deployments."""
    return RedirectResponse("/deployments", 303)


routes = [
    Route("/", home),
    Route("/login", login, methods=["GET", "POST"]),
    Route("/api_tokens", _for_owner(approve_login), methods=["GET", "POST"]),
    Route("/deployments", _for_owner(deployments)),
    Route("/deployments/{name}", _for_owner(deployment)),
    Route("/deployments/{name}/{action}", _for_owner(act), methods=["POST"]),
    Route("/codespaces/{name}", _for_owner(deployment)),
    Route("/docs", docs),
]
