"""The clouds that the `bentoml` client is logged in to, read from its file."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from ..client.addresses import checked_token
from ..errors import InvalidRequestError, NotLoggedInError
from ..home import Home
from .link import LOOPBACK, Address, Stat, stat_of
from .local import bentoml_home
from .payloads import Context, Contexts, ContextState, ContextStates

__all__ = ["address_of", "context_file", "context_states", "contexts"]

#: Seconds that a cloud has to say whether it takes the token.
_TIMEOUT: Final = httpx.Timeout(5)


def contexts(home: Home) -> Contexts:
    """Names and addresses of all contexts; the tokens stay where they are.

    Args:
        home: Home of the embedded cloud, which is told from the others by its address.
    """
    said = _read()
    state = home.read_state()
    own = state.endpoint.rstrip("/") if state is not None else None
    current = said.get("current_context_name")
    return Contexts(
        items=[
            Context(
                name=str(item["name"]),
                endpoint=str(item.get("endpoint", "")),
                current=item["name"] == current,
                embedded=str(item.get("endpoint", "")).rstrip("/") == own or item["name"] == "embedded",
            )
            for item in _items(said)
        ]
    )


def address_of(name: str) -> Address:
    """Where a cloud is that one is logged in to, and the token that is kept for it.

    Raises:
        NotLoggedInError: Nobody is (any more), or its address or token is none.
    """
    for item in _items(_read()):
        if str(item["name"]) == name:
            endpoint = str(item.get("endpoint", "")).rstrip("/")
            if not _is_address(endpoint):
                raise NotLoggedInError(f"{name} is at no address: {endpoint!r}", hint="log in again")
            try:
                return Address(endpoint, _token(item))
            except InvalidRequestError as error:
                raise NotLoggedInError(f"{name}: {error.message}", hint="log in again") from None
    raise NotLoggedInError(f"nobody is logged in to a cloud {name}", hint="log in to it, or show another one")


def context_file() -> Path:
    """The `bentoml` client's file of contexts; it need not exist."""
    return bentoml_home() / ".yatai.yaml"


async def context_states(home: Home) -> ContextStates:
    """Whether the other clouds answer, and take the tokens that are kept for them.

    Each token goes to the endpoint that it is kept with, and nowhere else.
    """
    others = {item.name for item in contexts(home).items if not item.embedded}
    asked = [item for item in _items(_read()) if str(item["name"]) in others]
    return ContextStates(items=list(await asyncio.gather(*map(_state, asked))))


async def _state(item: dict[str, Any]) -> ContextState:
    name, endpoint = str(item["name"]), str(item.get("endpoint", "")).rstrip("/")
    try:
        headers = {"X-YATAI-API-TOKEN": _token(item)}
        # Not through a proxy to this machine itself.
        direct = urlsplit(endpoint).hostname in LOOPBACK
        async with httpx.AsyncClient(timeout=_TIMEOUT, trust_env=not direct) as client:
            answer = await client.get(f"{endpoint}/api/v1/auth/current", headers=headers)
        if answer.status_code in (401, 403):
            return ContextState(name=name, state="refused", message="it does not accept the token (any more)")
        answer.raise_for_status()
        said = answer.json()
        return ContextState(
            name=name, state="ready", message=str(said.get("email") or said.get("name") or "")
        )
    except InvalidRequestError as error:
        return ContextState(name=name, state="refused", message=error.message)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, AttributeError) as error:
        return ContextState(name=name, state="unreachable", message=str(error) or type(error).__name__)


def _token(item: dict[str, Any]) -> str:
    """The token that is kept; the HTTP client would repeat one that cannot be sent in its error."""
    return checked_token(str(item.get("api_token", "")))


def _is_address(endpoint: str) -> bool:
    try:
        return httpx.URL(endpoint).scheme in ("http", "https") and bool(urlsplit(endpoint).hostname)
    except (httpx.InvalidURL, ValueError):
        return False


def _read() -> dict[str, Any]:
    file = context_file()
    return _read_as_of(file, stat_of(file))


@lru_cache(maxsize=1)
def _read_as_of(file: Path, _: Stat) -> dict[str, Any]:
    """What is in the file, which each call looks at and few change."""
    import yaml  # type: ignore[import-untyped]

    try:
        said = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return said if isinstance(said, dict) else {}


def _items(said: dict[str, Any]) -> list[dict[str, Any]]:
    return [item for item in said.get("contexts") or [] if isinstance(item, dict) and "name" in item]
