"""Where the token of an endpoint comes from, when it is not given. It is never shown; faces ask for one."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from ..errors import NotLoggedInError
from .addresses import same_endpoint

__all__ = ["of"]

#: Service under which the keyring holds tokens; the user is the endpoint.
KEYRING_SERVICE = "bento-jupyter"
#: Where a token belongs that comes without an endpoint, as in the `bentoml` client.
BENTOCLOUD = ".bentoml.com"


def of(endpoint: str, *, variable: str | None = None, context: str | None = None) -> str | None:
    """The token of an endpoint; None when there is none.

    Looked for, in this order: the environment variable named, a context of the `bentoml` client with this
    endpoint, `BENTO_CLOUD_API_KEY` (which is that of `BENTO_CLOUD_API_ENDPOINT`, or where that is not set of
    BentoCloud itself, and goes nowhere else), the keyring.

    Args:
        endpoint: Base URL of the control plane.
        variable: Name of an environment variable that has to hold it.
        context: Name of the context to take it from, where there is one of that name; several may have the
            same endpoint.

    Raises:
        NotLoggedInError: `variable` is named, and not set.
    """
    if variable is not None:
        token = os.environ.get(variable, "")
        if not token:
            raise NotLoggedInError(
                f"the environment variable {variable} holds no token",
                hint="it has to be set where the kernel (or shell) was started",
            )
        return token
    return _of_context(endpoint, context) or _of_environment(endpoint) or _of_keyring(endpoint)


def _of_context(endpoint: str, context: str | None) -> str | None:
    from . import contexts

    known = [item for item in contexts.known() if same_endpoint(item.endpoint, endpoint)]
    if context is not None:
        return next((item.token for item in known if item.name == context), None)
    return known[0].token if known else None


def _of_environment(endpoint: str) -> str | None:
    named, parts = os.environ.get("BENTO_CLOUD_API_ENDPOINT"), urlsplit(endpoint)
    if named:
        is_meant = same_endpoint(named, endpoint)
    else:
        is_meant = parts.scheme == "https" and f".{parts.hostname}".endswith(BENTOCLOUD)
    return os.environ.get("BENTO_CLOUD_API_KEY") if is_meant else None


def _of_keyring(endpoint: str) -> str | None:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return None
    try:
        token: str | None = keyring.get_password(KEYRING_SERVICE, endpoint.rstrip("/"))
    except (KeyringError, RuntimeError):  # no keyring on this machine, or it is locked
        return None
    return token
