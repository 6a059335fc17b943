"""The pages of a deployment (Swagger) through the Jupyter server, so that they are reached from any browser.

The address is not the browser's to say: it is that of a deployment that the cloud knows, and nothing else.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from jupyter_server.auth.decorator import authorized
from tornado.web import HTTPError, authenticated

from ..errors import CloudError, CloudUnreachableError
from .handlers import BentoHandler, deployment_name

__all__ = ["PagesHandler"]

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


class PagesHandler(BentoHandler):
    """`deployments/{name}/pages/{path}`: what the deployment answers there."""

    def check_xsrf_cookie(self) -> None:
        """A page of the deployment knows nothing of Jupyter's token: its own origin is asked for instead."""
        origin = self.request.headers.get("Origin")
        if origin is None or urlsplit(origin).netloc != self.request.host:
            super().check_xsrf_cookie()

    @property
    def content_security_policy(self) -> str:
        """Pages may be shown beside notebooks, and load from here only."""
        return "; ".join(
            (
                "frame-ancestors 'self'",
                "default-src 'self' 'unsafe-inline' data: blob:",
                "connect-src 'self'",
                "form-action 'self'",
            )
        )

    @authenticated
    @authorized
    async def get(self, name: str, path: str) -> None:
        """Pass a GET on."""
        await self._pass_on(name, path)

    @authenticated
    @authorized
    async def head(self, name: str, path: str) -> None:
        """Pass a HEAD on."""
        await self._pass_on(name, path)

    @authenticated
    @authorized
    async def post(self, name: str, path: str) -> None:
        """Pass a POST on: a call that a page makes."""
        await self._pass_on(name, path)

    async def _pass_on(self, name: str, path: str) -> None:
        view = await self.link.deployment(deployment_name(name))
        if view.url is None:
            raise CloudError(f"{name} has no address yet: it is {view.status.value}", status_code=409)
        headers = {key: self.request.headers[key] for key in _PASSED_ON if key in self.request.headers}
        if view.protected:
            headers["Authorization"] = f"Bearer {self.link.token()}"
        url = httpx.URL(view.url)
        target = url.copy_with(raw_path=_target(path, self.request.query))
        try:
            async with (
                httpx.AsyncClient(
                    timeout=_TIMEOUT, trust_env=False, verify=self.bento.home.trust(view.url)
                ) as client,
                client.stream(
                    self.request.method or "GET", target, headers=headers, content=self.request.body or None
                ) as answer,
            ):
                await self._pass_back(answer)
        except httpx.HTTPError as error:
            raise CloudUnreachableError(
                f"{name} does not answer at {view.url}: {error or type(error).__name__}", hint=view.reason
            ) from error

    async def _pass_back(self, answer: httpx.Response) -> None:
        self.set_status(answer.status_code)
        self.clear_header("Content-Type")
        for key in _PASSED_BACK:
            if key in answer.headers:
                self.set_header(key, answer.headers[key])
        sent = 0
        async for chunk in answer.aiter_bytes():
            sent += len(chunk)
            if sent > _MOST_BYTES:
                raise HTTPError(502, "the answer is too large for a page")
            self.write(chunk)
            await self.flush()
        await self.finish()

    def set_default_headers(self) -> None:
        """Content types are the deployment's."""
        super().set_default_headers()
        self.set_header("X-Content-Type-Options", "nosniff")

    def finish(self, *args: Any, **kwargs: Any) -> Any:
        """Finish without Jupyter's own content type for JSON, except for errors."""
        if "Content-Type" in self._headers or self._status_code >= 400:
            return super(BentoHandler, self).finish(*args, **kwargs)
        return super(BentoHandler, self).finish(*args, set_content_type="application/octet-stream", **kwargs)


def _target(path: str, query: str) -> bytes:
    """Path and query, as the browser sent them, below the root."""
    from urllib.parse import quote

    raw = quote("/" + path.lstrip("/"), safe="/%:@!$&'()*+,;=-._~")
    return (f"{raw}?{query}" if query else raw).encode("ascii")
