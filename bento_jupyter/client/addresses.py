"""Where a cloud is, and the token for it, as they are typed: checked before anything is sent anywhere."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from ..errors import InvalidRequestError

__all__ = ["checked_endpoint", "checked_token", "same_endpoint"]


def checked_endpoint(typed: str) -> str:
    """The address of a cloud's control plane, as it is used.

    No message repeats what was typed: it may be a token, or hold a password.

    Args:
        typed: What was typed.

    Raises:
        InvalidRequestError: It is no address of a cloud.

    Example:
        >>> checked_endpoint("HTTPS://Acme.BentoML.com/ ")
        'https://acme.bentoml.com/'
    """
    try:
        parts = urlsplit(typed.strip())
        port = parts.port
    except ValueError:  # its message repeats what was typed, so it is no cause that is shown
        raise _no_address("it has a host or a port that cannot be") from None
    if parts.scheme not in ("http", "https"):
        raise _no_address("one begins with https:// or http://")
    if parts.username is not None or parts.password is not None:
        raise _no_address("one has no user or password in it")
    host = parts.hostname or ""
    is_v6 = ":" in host  # of which alone a zone may be part, behind a %
    odd = re.search(r"[^\w.:%-]" if is_v6 else r"[^\w.-]", host) or ("[" in parts.netloc) is not is_v6
    if not host or odd or re.search(r"[\s\x00-\x1f\x7f]", typed.strip()):
        raise _no_address("it has no host, or something in it that no address has")
    if parts.query or parts.fragment:
        raise _no_address("one ends before ? and #")
    shown = f"[{host}]" if is_v6 else host
    port = None if port == {"http": 80, "https": 443}[parts.scheme] else port
    address = f"{parts.scheme}://{shown}{'' if port is None else f':{port}'}{parts.path}"
    if not _can_be_asked(address):
        raise _no_address("it has a host that cannot be")
    return address


def same_endpoint(one: str, other: str) -> bool:
    """Whether two addresses are of the same cloud, however their letters and ends are written.

    Args:
        one: An address, as somebody typed it; what is none is the same only as itself.
        other: Another one.

    Example:
        >>> same_endpoint("https://Acme.BentoML.com/", "https://acme.bentoml.com")
        True
    """
    return _plain(one) == _plain(other)


def _plain(endpoint: str) -> str:
    try:
        endpoint = checked_endpoint(endpoint)
    except InvalidRequestError:
        pass
    return endpoint.rstrip("/")


def _can_be_asked(address: str) -> bool:
    """Whether its host can be looked up; if not, HTTP clients end with errors that are not theirs."""
    import httpx

    try:
        url = httpx.URL(address)
        return bool(url.host) and bool(url.raw_host.decode("ascii").encode("idna"))
    except (httpx.InvalidURL, UnicodeError):
        return False


def _no_address(reason: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"the endpoint is not the address of a cloud: {reason}",
        hint="e.g. https://cloud.bentoml.com; if it was a token, revoke it: it is in the notebook now",
    )


def checked_token(typed: str) -> str:
    """A token as it is sent: in a header, which holds no line breaks and no letters but those of ASCII.

    Args:
        typed: What was typed, or kept; space around it is none of it.

    Raises:
        InvalidRequestError: It cannot be a token; the message does not say what it is.

    Example:
        >>> checked_token(" abc ")
        'abc'
    """
    token = typed.strip()
    if re.search(r"[^!-~]", token):
        raise InvalidRequestError(
            "the API token has a space, a line break or a letter in it that no token has",
            hint="copy it once more, alone and whole",
        )
    return token
