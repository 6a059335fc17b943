"""Answers within a time for the whole of them: of httpx a timeout is for each read."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

__all__ = ["until", "whole_answer"]

#: Headers of an answer that are about how it came.
_OF_THE_WAY = frozenset({"content-encoding", "content-length", "transfer-encoding"})


def until(deadline: float, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks of an answer, as long as they come before a deadline.

    Args:
        deadline: In seconds of `time.monotonic`.
        chunks: As they come.

    Raises:
        httpx.ReadTimeout: There are more.
    """
    import httpx

    for chunk in chunks:
        if time.monotonic() > deadline:
            raise httpx.ReadTimeout("the answer was not whole in time")
        yield chunk


def whole_answer(client: httpx.Client, method: str, url: str, options: dict[str, Any]) -> httpx.Response:
    """The whole answer to a request.

    Args:
        client: Who sends it.
        method: E.g. `POST`.
        url: Where.
        options: Of `httpx.Client.stream`; `timeout` is in seconds, and for all of it.

    Raises:
        httpx.TransportError: It did not come, or not in time.
    """
    import httpx

    deadline = time.monotonic() + options["timeout"]
    with client.stream(method, url, **options) as response:
        content = b"".join(until(deadline, response.iter_bytes()))
    return httpx.Response(
        response.status_code,
        headers=[pair for pair in response.headers.multi_items() if pair[0].lower() not in _OF_THE_WAY],
        content=content,
        request=response.request,
        history=response.history,
    )
