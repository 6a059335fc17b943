"""Where the token of an endpoint comes from, when it is not given. It is never shown; faces ask for one."""

from __future__ import annotations

import os

from ..errors import NotLoggedInError

__all__ = ["of"]

#: Service under which the keyring holds tokens; the user is the endpoint.
KEYRING_SERVICE = "bento-jupyter"


def of(endpoint: str, *, variable: str | None = None) -> str | None:
    """The token of an endpoint; None when there is none.

    Looked for, in this order: the environment variable named, a context of the `bentoml` client with this
    endpoint, `BENTO_CLOUD_API_KEY` unless `BENTO_CLOUD_API_ENDPOINT` names another endpoint, the keyring.

    Args:
        endpoint: Base URL of the control plane.
        variable: Name of an environment variable that has to hold it.

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
    return _of_context(endpoint) or _of_environment(endpoint) or _of_keyring(endpoint)


def _of_context(endpoint: str) -> str | None:
    from . import contexts

    return next((item.token for item in contexts.known() if _same(item.endpoint, endpoint)), None)


def _of_environment(endpoint: str) -> str | None:
    of_whom = os.environ.get("BENTO_CLOUD_API_ENDPOINT", endpoint)
    return os.environ.get("BENTO_CLOUD_API_KEY") if _same(of_whom, endpoint) else None


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


def _same(one: str, other: str) -> bool:
    return one.rstrip("/") == other.rstrip("/")
