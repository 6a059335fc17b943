"""Which cloud this session talks to: the one connected to last, else the embedded one."""

from __future__ import annotations

import os
import threading
from urllib.parse import urlsplit

from ..errors import InvalidRequestError, NotLoggedInError
from ..home import Home
from . import embedded
from .cloud import Cloud

__all__ = ["chosen", "connect", "current", "session_cloud"]

_current: Cloud | None = None
_lock = threading.Lock()


def connect(endpoint: str | None = None, *, token: str | None = None, context: str | None = None) -> Cloud:
    """Connect to a cloud; the verbs use it from then on.

    Args:
        endpoint: Base URL of a BentoCloud control plane; None = the embedded cloud, which is started
            when it does not run.
        token: Its API token; None = taken from the `bentoml` client's contexts (by endpoint), then from
            `BENTO_CLOUD_API_KEY`.
        context: Name of a context of the `bentoml` client to connect to instead.

    Returns:
        The cloud.

    Raises:
        NotLoggedInError: There is no token, or the cloud does not accept it.
        CloudUnreachableError: Nobody answers at the endpoint.

    Example:
        >>> connect()  # doctest: +SKIP
        <embedded cloud 'embedded' at http://127.0.0.1:38761>
    """
    global _current  # noqa: PLW0603 - the session's cloud is session state
    if endpoint is None and context is None:
        state = embedded.start()
        cloud = Cloud("embedded", state.endpoint, state.token, embedded=True)
    else:
        cloud = _remote(endpoint, token, context)
        cloud.ping()
    with _lock:
        _current = cloud
    return cloud


def chosen(cloud: Cloud | str | None) -> Cloud:
    """The cloud that a verb is to use; the current one stays what it is.

    Args:
        cloud: A cloud; the name of a context of the `bentoml` client, or `embedded`; None = the current one.

    Raises:
        NotLoggedInError: There is no such context; the hint lists those that there are.
    """
    if cloud is None:
        return current()
    if isinstance(cloud, Cloud):
        return cloud
    if cloud == embedded.CONTEXT_NAME:
        state = embedded.start()
        return Cloud(cloud, state.endpoint, state.token, embedded=True)
    return _remote(None, None, cloud)


def _remote(endpoint: str | None, token: str | None, context: str | None) -> Cloud:
    from . import contexts

    if context is not None:
        found = contexts.get(context)
        return _cloud(found.name, found.endpoint, token or found.token)
    assert endpoint is not None
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidRequestError(
            f"{endpoint!r} is not the address of a cloud", hint="e.g. https://cloud.bentoml.com"
        )
    if token is None:
        known = [contexts.get(name) for name in contexts.names()]
        token = next(
            (item.token for item in known if item.endpoint.rstrip("/") == endpoint.rstrip("/")), None
        )
    token = token or os.environ.get("BENTO_CLOUD_API_KEY")
    if not token:
        raise NotLoggedInError(
            f"no token for {endpoint}",
            hint="set BENTO_CLOUD_API_KEY or run `bentoml cloud login`; in a live notebook %bento_login asks",
        )
    return _cloud(parts.netloc, endpoint, token)


def _cloud(name: str, endpoint: str, token: str) -> Cloud:
    """A cloud; the embedded one is known by its endpoint, whatever its context is called."""
    state = Home.default().read_state()
    is_embedded = state is not None and state.endpoint.rstrip("/") == endpoint.rstrip("/")
    return Cloud(name, endpoint, token, embedded=is_embedded)


def current() -> Cloud:
    """The cloud of this session: the one connected to last, else the embedded cloud (started if need be)."""
    with _lock:
        cloud = _current
    if cloud is None:
        return connect()
    if cloud.embedded:
        # It may have been stopped, killed or moved to another port since.
        state = embedded.find()
        if state is None or state.endpoint != cloud.endpoint:
            return connect()
    return cloud


def session_cloud() -> Cloud | None:
    """The cloud connected to last; None = none yet. Nothing is started."""
    with _lock:
        return _current
