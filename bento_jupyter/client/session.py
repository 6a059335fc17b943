"""Which clouds this session talks to: those connected to, those of the `bentoml` client, the embedded one.

A token goes to the endpoint that it belongs to and nowhere else: `tokens.py` says where one comes from.
"""

from __future__ import annotations

import threading
from urllib.parse import urlsplit

from ..errors import ConflictError, InvalidRequestError, NotLoggedInError
from ..home import Home
from . import embedded
from .addresses import checked_endpoint, checked_token, same_endpoint
from .cloud import Cloud

__all__ = ["chosen", "clouds", "connect", "current", "disconnect", "latest", "peek", "pinned"]

_current: Cloud | None = None
#: Clouds that this session has connected to, by name; those of the context file need not be here.
_connected: dict[str, Cloud] = {}
_lock = threading.Lock()


def connect(
    endpoint: str | None = None,
    *,
    token: str | None = None,
    context: str | None = None,
    token_env: str | None = None,
) -> Cloud:
    """Connect to a cloud; the verbs use it from then on, and `--cloud NAME` names it.

    Args:
        endpoint: Base URL of a BentoCloud control plane; None = the embedded cloud, which is started
            when it does not run, or the one that `context` names.
        token: Its API token; None = looked for: `token_env`, the `bentoml` client's context of this endpoint,
            `BENTO_CLOUD_API_KEY` (of the endpoint in `BENTO_CLOUD_API_ENDPOINT`, else of BentoCloud only),
            the keyring, if the package `keyring` is installed (service `bento-jupyter`, user = the endpoint).
        context: Without `endpoint` the context of the `bentoml` client to connect to. With one the name to
            keep endpoint and token under in its context file (0600), known to plain `bentoml` commands too.
        token_env: Name of the environment variable that holds the token.

    Returns:
        The cloud.

    Raises:
        NotLoggedInError: There is no token, or the cloud does not accept it.
        InvalidRequestError: `endpoint` is no address, or the token cannot be one.
        ConflictError: `context` is the name of another endpoint.
        CloudUnreachableError: Nobody answers at the endpoint.

    Example:
        >>> connect()  # doctest: +SKIP
        <embedded cloud 'embedded' at http://127.0.0.1:38761>
        >>> connect("https://acme.bentoml.com", context="prod", token_env="PROD")  # doctest: +SKIP
    """
    global _current  # noqa: PLW0603 - the session's cloud is session state
    if endpoint is None:
        cloud = chosen(context or embedded.CONTEXT_NAME)
        if not cloud.embedded:
            cloud.ping()
    else:
        endpoint = checked_endpoint(endpoint)
        _refuse_taken(context, endpoint)
        cloud = _remote(endpoint, token, context, token_env)
        cloud.ping()
        if context is not None:
            from . import contexts

            contexts.save(context, endpoint=cloud.endpoint, token=cloud.token, switch=False)
    with _lock:
        _current = cloud
        _connected[cloud.name] = cloud
    return cloud


def disconnect(name: str) -> None:
    """Log out of a cloud: its token is in this session and in the `bentoml` client's context file no more.

    The token itself stays valid until it is revoked where it was made; what a variable or the keyring holds
    stays there.

    Args:
        name: Name of the cloud, as `--cloud` has it.

    Raises:
        NotLoggedInError: There is no such cloud.
        InvalidRequestError: It is the embedded one, which nobody logs in to.
    """
    global _current  # noqa: PLW0603 - the session's cloud is session state
    from . import contexts

    if name == embedded.CONTEXT_NAME:
        raise InvalidRequestError("nobody logs in to the embedded cloud", hint="%bento_cloud stop ends it")
    with _lock:
        here = _connected.pop(name, None)
        if _current is not None and _current.name == name:
            _current = None
    if here is None:
        contexts.get(name)
    contexts.forget(name, instead=embedded.CONTEXT_NAME)


def _refuse_taken(context: str | None, endpoint: str) -> None:
    """A name stands for one endpoint: logging in elsewhere under it would throw a token away."""
    from . import contexts

    for known in contexts.known() if context is not None else []:
        if known.name == context and not same_endpoint(known.endpoint, endpoint):
            raise ConflictError(
                f"the context {context!r} is {known.endpoint} already",
                hint=f"choose another name with --context, or %bento_logout {context} first",
            )


def pinned(cloud: Cloud | str | None) -> Cloud | str:
    """`cloud`, or what names the current one: connecting elsewhere meanwhile makes no difference to it.

    Nothing is started and nobody is asked.
    """
    if cloud is not None:
        return cloud
    with _lock:
        here = _current
    return here if here is not None and not here.embedded else embedded.CONTEXT_NAME


def chosen(cloud: Cloud | str | None) -> Cloud:
    """The cloud that a verb is to use; the current one stays what it is.

    Args:
        cloud: A cloud; the name of one connected to, of a context of the `bentoml` client, or `embedded`;
            None = the current one.

    Raises:
        NotLoggedInError: There is no such cloud; the hint lists those that there are.
        InvalidRequestError: The token that is kept for it cannot be one.
    """
    if cloud is None:
        return current()
    if isinstance(cloud, Cloud):
        return cloud
    if cloud == embedded.CONTEXT_NAME:
        state = embedded.start()
        return Cloud(cloud, state.endpoint, state.token, embedded=True)
    with _lock:
        connected = _connected.get(cloud)
    if connected is not None and not connected.embedded:
        return connected
    from . import contexts

    found = contexts.get(cloud)
    return _cloud(found.name, found.endpoint, checked_token(found.token))


def clouds() -> list[Cloud]:
    """The clouds that `--cloud` can name: the embedded one first, when it runs, then by name.

    Nothing is started and nobody is asked.
    """
    from . import contexts

    state = Home.default().read_state()
    here = [Cloud("embedded", state.endpoint, state.token, embedded=True)] if state is not None else []
    with _lock:
        found = {item.name: _cloud(item.name, item.endpoint, item.token) for item in contexts.known()}
        found |= {name: cloud for name, cloud in _connected.items() if not cloud.embedded}
    found.pop(embedded.CONTEXT_NAME, None)
    return [*here, *(found[name] for name in sorted(found))]


def peek() -> Cloud | None:
    """The current cloud without starting anything: None when that is the embedded one and it does not run."""
    with _lock:
        cloud = _current
    if cloud is not None and not cloud.embedded:
        return cloud
    state = embedded.find()
    return Cloud("embedded", state.endpoint, state.token, embedded=True) if state is not None else None


def _remote(endpoint: str, token: str | None, context: str | None, token_env: str | None) -> Cloud:
    from . import tokens

    token = checked_token(token or tokens.of(endpoint, variable=token_env, context=context) or "")
    if not token:
        raise NotLoggedInError(
            f"no token for {endpoint}",
            hint="put it into an environment variable and say --token-env NAME (or set BENTO_CLOUD_API_KEY), "
            "or run `bentoml cloud login`; in a live notebook %bento_login asks",
        )
    return _cloud(context or urlsplit(endpoint).netloc, endpoint, token)


def _cloud(name: str, endpoint: str, token: str) -> Cloud:
    """A cloud; the embedded one is known by its endpoint, whatever its context is called."""
    state = Home.default().read_state()
    is_embedded = state is not None and state.endpoint.rstrip("/") == endpoint.rstrip("/")
    return Cloud(name, endpoint, token, embedded=is_embedded)


def latest() -> Cloud | None:
    """The cloud of this session as it was last, if it is there still: nobody is asked."""
    with _lock:
        cloud = _current
    if cloud is None or not cloud.embedded:
        return cloud
    home = Home.default()
    state = home.read_state()
    same = state is not None and state.endpoint == cloud.endpoint
    return cloud if same and embedded.runs(home) else None


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
