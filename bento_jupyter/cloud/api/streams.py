"""Endless answers that end when the cloud stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar

from pydantic import BaseModel
from starlette.responses import StreamingResponse

__all__ = ["ndjson", "until"]

ItemT = TypeVar("ItemT")

#: Seconds of silence after which a blank line shows that the connection lives.
HEARTBEAT = 10.0


async def until(
    items: AsyncIterator[ItemT], stopping: asyncio.Event, heartbeat: float | None = None
) -> AsyncIterator[ItemT | None]:
    """The items, until they end or `stopping` is set.

    Args:
        items: Where they come from; closed at the end.
        stopping: When set, this ends.
        heartbeat: After so many seconds without an item None comes; None = never. The first None comes at
            once, when `items` has been started.
    """
    stop = asyncio.ensure_future(stopping.wait())
    following = asyncio.ensure_future(_next(items))
    try:
        if heartbeat is not None:
            await asyncio.sleep(0)
            yield None
        while not stopping.is_set():
            await asyncio.wait({stop, following}, timeout=heartbeat, return_when=asyncio.FIRST_COMPLETED)
            if following.done():
                found = following.result()
                if not found:
                    return
                yield found[0]
                following = asyncio.ensure_future(_next(items))
            elif not stop.done():
                yield None
    finally:
        stop.cancel()
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        close = getattr(items, "aclose", None)
        if close is not None:
            await close()


async def _next(items: AsyncIterator[ItemT]) -> tuple[ItemT, ...]:
    """The next item as a tuple of one; of none at the end (a future cannot carry StopAsyncIteration)."""
    async for item in items:
        return (item,)
    return ()


def ndjson(items: AsyncIterator[BaseModel], stopping: asyncio.Event) -> StreamingResponse:
    """One JSON document per line as they come; blank lines at the beginning and in silences."""

    async def lines() -> AsyncIterator[str]:
        async for item in until(items, stopping, HEARTBEAT):
            yield "\n" if item is None else f"{item.model_dump_json()}\n"

    return StreamingResponse(
        lines(),
        media_type="application/x-ndjson",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )
