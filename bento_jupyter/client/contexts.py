"""The `bentoml` client's own context file: what is logged in there is known here, and back."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ..errors import NotLoggedInError

__all__ = ["Context", "current", "file", "forget", "get", "known", "names", "save"]


@dataclass(frozen=True)
class Context:
    """One cloud that the `bentoml` client can talk to.

    Attributes:
        name: Name of the context.
        endpoint: Base URL of its control plane.
        token: API token; never shown.
    """

    name: str
    endpoint: str
    token: str = field(repr=False)


def known() -> list[Context]:
    """The contexts in the file."""
    return [Context(item.name, item.endpoint, item.api_token) for item in _config().contexts]


def names() -> list[str]:
    """Names of the contexts in the file."""
    return [context.name for context in known()]


def current() -> Context | None:
    """The context that plain `bentoml` commands use now; None when there is none."""
    from bentoml.exceptions import BentoMLException

    try:
        found = _config().get_context()
    except BentoMLException:
        return None
    return Context(found.name, found.endpoint, found.api_token)


def get(name: str) -> Context:
    """The context called `name`.

    Raises:
        NotLoggedInError: There is no such context; the hint lists those that there are.
    """
    for context in known():
        if context.name == name:
            return context
    close = get_close_matches(name, names(), n=1)
    hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(names()) or 'none'}"
    raise NotLoggedInError(
        f"no cloud context {name!r}", hint=f"{hint}; %bento_login ENDPOINT --context {name} makes it"
    )


def save(name: str, *, endpoint: str, token: str, switch: bool = True) -> None:
    """Write a context (replacing one of the same name) and keep the file private.

    Args:
        name: Name of the context.
        endpoint: Base URL of its control plane.
        token: API token.
        switch: Make it the one that plain `bentoml` commands use; without, that stays as it is, unless the
            file has no context yet.
    """
    import logging

    from bentoml._internal.cloud.config import CloudClientConfig, CloudClientContext

    path = file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    os.chmod(path, 0o600)  # the client itself writes it with the umask's mode; it holds a token
    logger = logging.getLogger("bentoml._internal.cloud.config")
    level = logger.level
    logger.setLevel(logging.ERROR)  # "Overriding existing cloud context" is what was asked for
    try:
        first = not names()
        CloudClientContext(name=name, endpoint=endpoint, api_token=token).save(ignore_warning=True)
        if switch or first:
            config = CloudClientConfig.get_config()
            config.current_context_name = name
            config.to_yaml_file()
    finally:
        logger.setLevel(level)


def forget(name: str, *, instead: str) -> None:
    """Take a context with its token out of the file.

    Args:
        name: Name of the context; it need not be there.
        instead: The one that plain `bentoml` commands use from then on, when they used this one; where it is
            not in the file they ask for a login: they never go to another cloud unasked.
    """
    config = _config()
    kept = [item for item in config.contexts if item.name != name]
    if len(kept) == len(config.contexts):
        return
    config.contexts = kept
    if config.current_context_name == name:
        config.current_context_name = instead
    config.to_yaml_file()


def file() -> Path:
    """The client's context file; it need not exist."""
    from bentoml._internal.configuration.containers import BentoMLContainer

    return Path(BentoMLContainer.cloud_config.get())


def _config() -> Any:
    from bentoml._internal.cloud.config import CloudClientConfig

    return CloudClientConfig.get_config()
