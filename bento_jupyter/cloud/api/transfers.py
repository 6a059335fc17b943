"""Uploads and downloads by URLs that are their own permission, whole or in parts (contract 1.3).

A URL names what it is for and until when, and is signed with a key made of the owner's token: so it is good
after a restart of the cloud, too, and nobody else can make one. It opens nothing but that one thing.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from dataclasses import asdict, dataclass

from pydantic import BaseModel
from starlette.requests import Request

from ...errors import NotLoggedInError
from ..store import Store
from .schemas import Count

__all__ = ["LIFETIME", "Permission", "TransferQuery"]

#: Seconds that a URL is good for; an upload that has begun by then goes on.
LIFETIME = 12 * 3600


class TransferQuery(BaseModel):
    """Query string of such a URL: part of an upload, until when it is good, and the proof of both."""

    upload: str = ""
    part: Count = 0
    expires: Count = 0
    signature: str = ""


@dataclass(frozen=True)
class Permission:
    """What a URL is for.

    Attributes:
        method: PUT or GET.
        kind: `bento` or `model`.
        name: Name of its repository.
        version: Its version.
        upload: Id of an upload in parts; "" = the whole archive.
        part: Number of the part, from 1.
    """

    method: str
    kind: str
    name: str
    version: str
    upload: str = ""
    part: int = 0

    def url(self, request: Request, store: Store) -> str:
        """A URL that allows it, at the address that `request` came to."""
        expires = int(time.time()) + LIFETIME
        url = request.url.replace(path=self.path, query="").include_query_params(
            upload=self.upload, part=self.part, expires=expires, signature=self._signature(store, expires)
        )
        return str(url)

    def require(self, given: TransferQuery, store: Store) -> None:
        """Let a request through that came to such a URL.

        Raises:
            NotLoggedInError: It has none, or it has expired.
        """
        expected = self._signature(store, given.expires)
        if not hmac.compare_digest(given.signature.encode(), expected.encode()):
            raise NotLoggedInError("this URL was not given out by this cloud")
        if given.expires < time.time():
            raise NotLoggedInError("this URL has expired", hint="push or pull again")

    @property
    def path(self) -> str:
        """Path of its URL, outside of what needs a token."""
        return f"/transfer/{self.kind}s/{self.name}/{self.version}"

    def _signature(self, store: Store, expires: int) -> str:
        message = json.dumps([asdict(self), expires], sort_keys=True).encode()
        return hmac.new(store.tokens.signing_key, message, hashlib.sha256).hexdigest()
