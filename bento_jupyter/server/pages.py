"""The pages of a deployment (Swagger) through the Jupyter server, so that they are reached from any browser.

The address is not the browser's to say: it is that of a deployment that the cloud knows, and nothing else.

What a deployment answers is not to be trusted with Jupyter: its pages have an opaque origin (`sandbox`), so a
script in them can neither read what Jupyter answers nor act with the user's cookies. Their own requests come
without cookies, too: a pass in their address stands for them, which is issued to who is logged in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

import httpx
from jupyter_server.auth.decorator import allow_unauthenticated, authorized
from tornado.web import HTTPError, authenticated

from ..errors import CloudUnreachableError
from .handlers import BentoHandler, deployment_name, link_of

if TYPE_CHECKING:
    from ..views import DeploymentView
    from .link import CloudLink

__all__ = ["PageEntryHandler", "PagesHandler"]

#: Headers of a request that are the deployment's business. Cookies and tokens of Jupyter never are.
_PASSED_ON: Final = ("accept", "accept-language", "content-type", "if-none-match", "if-modified-since")
#: Headers of an answer that a page needs.
_PASSED_BACK: Final = (
    "content-type",
    "content-disposition",
    "etag",
    "last-modified",
    "server-timing",
    "x-request-id",
)
#: Bytes of an answer at most: these are pages, not a way around the deployment's own address.
_MOST_BYTES: Final = 64 * 2**20
_TIMEOUT: Final = httpx.Timeout(300, connect=5)
#: What may stand in the target of a request as it is; servers refuse other bytes.
_VISIBLE: Final = bytes(range(0x21, 0x7F)).decode()


class _Forwarding(BentoHandler):
    """Gives a request to a deployment that the cloud knows, and its answer back."""

    async def _forward(self, link: CloudLink, name: str, word: str = "") -> None:
        view, url, headers = await link.reached(deployment_name(name))
        headers |= {key: self.request.headers[key] for key in _PASSED_ON if key in self.request.headers}
        try:
            async with (
                httpx.AsyncClient(timeout=_TIMEOUT, **link.options(url)) as client,
                client.stream(
                    self.request.method or "GET",
                    httpx.URL(url).copy_with(raw_path=self._target()),
                    headers=headers,
                    content=self.request.body or None,
                ) as answer,
            ):
                await self._pass_back(answer, view, _address(self.base_url, word, name))
        except httpx.HTTPError as error:
            if self._headers_written:
                self._break_off()
                return
            raise CloudUnreachableError(
                f"{name} does not answer at {url}: {error or type(error).__name__}", hint=view.reason
            ) from error

    def _target(self) -> bytes:
        """Path and query below the pages, as the browser sent them."""
        behind = self.base_url.count("/") + 4  # `bento-jupyter` and three more parts, in both addresses
        raw = (self.request.uri or "").split("/", behind)[behind]
        return b"/" + quote(raw.encode("latin-1"), safe=_VISIBLE).encode("ascii")

    async def _pass_back(self, answer: httpx.Response, view: DeploymentView, address: str) -> None:
        if int(answer.headers.get("content-length", 0)) > _MOST_BYTES:
            raise HTTPError(502, "the answer is too large for a page")
        self.set_status(answer.status_code)
        self.clear_header("Content-Type")
        for key in _PASSED_BACK:
            if key in answer.headers:
                self.set_header(key, answer.headers[key])
        if "location" in answer.headers:
            self.set_header("Location", _led_on(answer, view, address))
        sent = 0
        async for chunk in answer.aiter_bytes():
            sent += len(chunk)
            if sent > _MOST_BYTES:
                self._break_off()
                return
            self.write(chunk)
            await self.flush()
        await self.finish()

    def _break_off(self) -> None:
        """End the connection, so that nobody takes what came for the whole answer."""
        self.detach().close()

    def finish(self, *args: Any, **kwargs: Any) -> Any:
        """Finish without Jupyter's own content type for JSON, except for errors."""
        if "Content-Type" in self._headers or self._status_code >= 400:
            return super(BentoHandler, self).finish(*args, **kwargs)
        return super(BentoHandler, self).finish(*args, set_content_type="application/octet-stream", **kwargs)


class PageEntryHandler(_Forwarding):
    """`deployments/{name}/pages/{path}`: on to the page, with a pass; or what JupyterLab itself asks."""

    @authenticated
    @authorized
    async def get(self, name: str, path: str) -> None:
        """Issue a pass and say where it leads."""
        link = self.link
        await link.deployment(deployment_name(name))
        word = self.bento.passes.issue(name, link.context)
        self.set_header("Cache-Control", "no-store")
        self.redirect(_address(self.base_url, word, name) + quote(path))

    @authenticated
    @authorized
    async def post(self, name: str, path: str) -> None:
        """Ask an endpoint on behalf of the playground, which reads the answer and never runs it."""
        self.set_header("X-Content-Type-Options", "nosniff")
        await self._forward(self.link, name)


class PagesHandler(_Forwarding):
    """`pages/{word}/{name}/{path}`: what the deployment answers there, to who has a pass."""

    def check_xsrf_cookie(self) -> None:
        """No cookie is looked at here, so there is none to be abused."""

    def check_origin(self, origin_to_satisfy_tornado: str = "") -> bool:
        """The pages' own origin is opaque (`null`); the pass says what may be done."""
        return True

    @property
    def content_security_policy(self) -> str:
        """Pages may be shown beside notebooks, load from here only, and are no part of Jupyter."""
        return "; ".join(
            (
                "sandbox allow-scripts allow-forms allow-popups allow-downloads",
                "frame-ancestors 'self'",
                "default-src 'self' 'unsafe-inline' data: blob:",
                "connect-src 'self'",
                "form-action 'self'",
            )
        )

    def set_default_headers(self) -> None:
        """Content types are the deployment's, and nobody but its pages is told the pass."""
        super().set_default_headers()
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("Access-Control-Allow-Origin", "null")
        self.clear_header("Access-Control-Allow-Credentials")

    @allow_unauthenticated
    async def get(self, word: str, name: str, path: str) -> None:
        """Pass a GET on."""
        await self._pass_on(word, name)

    @allow_unauthenticated
    async def head(self, word: str, name: str, path: str) -> None:
        """Pass a HEAD on."""
        await self._pass_on(word, name)

    @allow_unauthenticated
    async def post(self, word: str, name: str, path: str) -> None:
        """Pass a POST on: a call that a page makes."""
        await self._pass_on(word, name)

    async def _pass_on(self, word: str, name: str) -> None:
        cloud = self.bento.passes.cloud_of(word, deployment_name(name))
        if cloud is None:
            raise HTTPError(403, "this page is out of date: open it again from JupyterLab")
        await self._forward(link_of(self.bento, cloud), name, word)

    @allow_unauthenticated
    def options(self, word: str, name: str, path: str) -> None:
        """Tell a browser that the pages may make calls."""
        self.set_header("Access-Control-Allow-Methods", "GET, HEAD, POST")
        self.set_header("Access-Control-Allow-Headers", ", ".join(_PASSED_ON))
        self.set_status(204)
        super(BentoHandler, self).finish()


def _address(base_url: str, word: str, name: str) -> str:
    """Where the pages of a deployment are for who has this pass."""
    return f"{base_url}bento-jupyter/pages/{word}/{name}/"


def _led_on(answer: httpx.Response, view: DeploymentView, address: str) -> str:
    """Where an answer leads to: at the deployment itself, that is below its pages."""
    led = answer.url.join(answer.headers["location"])
    if urlsplit(str(led)).netloc != urlsplit(view.url or "").netloc:
        return str(led)
    place = f"#{led.fragment}" if led.fragment else ""
    return address + led.raw_path.decode("ascii").removeprefix("/") + place
