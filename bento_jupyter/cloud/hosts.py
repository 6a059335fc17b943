"""Names in a `Host` header, told apart by whether a web page can be behind them.

A web page can make a browser send requests to a loopback address under a name of its own (DNS rebinding),
and read the answers; such requests carry that name. An address is no name, and `localhost` always leads
here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from functools import lru_cache

__all__ = ["SESSION_COOKIE", "host_name", "is_foreign_origin", "is_trusted_host"]

#: Cookie of the pages' sessions. A browser sends it to each port of this machine, services' ones too.
SESSION_COOKIE = "bento_jupyter_session"


def host_name(host: str) -> str:
    """The name in a `Host` header, without port and brackets, in small letters."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def is_foreign_origin(origin: str, host: str) -> bool:
    """Whether a browser says that a form was sent by a page of elsewhere; another port is elsewhere.

    Args:
        origin: The `Origin` header; "" = none. "null" is what the browser says of our own pages, which ask it
            to tell nobody where they are, and of pages that hide: a form's secret tells them apart.
        host: The `Host` header.

    Example:
        >>> is_foreign_origin("http://127.0.0.1:21001", "127.0.0.1:21000")
        True
    """
    return origin not in ("", "null") and origin.lower().partition("://")[2] != host.strip().lower()


def is_trusted_host(host: str, names: Collection[str] = ()) -> bool:
    """Whether no foreign web page can have sent a request with this `Host` header.

    Args:
        host: The header.
        names: Names that are this machine's, too.

    Example:
        >>> is_trusted_host("127.0.0.1:21000"), is_trusted_host("evil.example:21000")
        (True, False)
    """
    name = host_name(host)
    if name in names or name == "localhost" or name.endswith(".localhost"):
        return True
    return _is_address(name)


@lru_cache(maxsize=1024)  # asked for each request of the gateway
def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
