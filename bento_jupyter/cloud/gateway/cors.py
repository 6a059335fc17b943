"""Which web pages may read what the gateway answers in a service's place: BentoML's `http.cors`. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Cors"]


@dataclass(frozen=True)
class Cors:
    r"""What a service says about pages of other origins, as `CORSMiddleware` of Starlette takes it.

    Attributes:
        origins: Those that may read answers; `*` = all.
        origin_regex: Others that may, as a regular expression; None = no others.
        credentials: They may with cookies, too.
        expose: Fields of an answer that they may read.

    Example:
        >>> Cors(origins=("https://a.example",)).fields(b"https://a.example")
        b'Access-Control-Allow-Origin: https://a.example\r\nVary: Origin\r\n'
        >>> Cors(origins=("https://a.example",)).fields(b"https://b.example")
        b'Vary: Origin\r\n'
    """

    origins: tuple[str, ...] = ()
    origin_regex: str | None = None
    credentials: bool = False
    expose: tuple[str, ...] = ()

    @classmethod
    def from_config(cls, config: Mapping[str, Any] | None) -> Cors | None:
        """What BentoML's configuration `http.cors` says; None where it is not enabled."""
        if not config or not config.get("enabled"):
            return None
        regex = config.get("access_control_allow_origin_regex")
        try:
            re.compile(regex or "")
        except re.error:  # the service does not start with it, and says so
            regex = None
        return cls(
            origins=_listed(config.get("access_control_allow_origins")),
            origin_regex=regex,
            credentials=bool(config.get("access_control_allow_credentials")),
            expose=_listed(config.get("access_control_expose_headers")),
        )

    def fields(self, origin: bytes | None) -> bytes:
        """Header fields for the answer to a request from a page of this `Origin`; None = from no page."""
        lines = []
        if origin is not None:
            if "*" in self.origins and not self.credentials:
                lines.append(b"Access-Control-Allow-Origin: *")
            elif self._allows(origin.decode("latin-1")):
                lines.append(b"Access-Control-Allow-Origin: %b" % origin)
            if self.credentials:
                lines.append(b"Access-Control-Allow-Credentials: true")
            if self.expose:
                lines.append(
                    b"Access-Control-Expose-Headers: " + ", ".join(self.expose).encode("latin-1", "replace")
                )
        lines.append(b"Vary: Origin")
        return b"".join(line + b"\r\n" for line in lines)

    def _allows(self, origin: str) -> bool:
        if "*" in self.origins or origin in self.origins:
            return True
        return self.origin_regex is not None and re.fullmatch(self.origin_regex, origin) is not None


def _listed(value: Any) -> tuple[str, ...]:
    """BentoML takes one string as well as a list of them."""
    return (value,) if isinstance(value, str) else tuple(map(str, value or ()))
