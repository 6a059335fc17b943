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
#: Items that are taken from where they come from before they are asked for.
MOST_AHEAD = 100


async def until(
    items: AsyncIterator[ItemT], stopping: asyncio.Event, heartbeat: float | None = None
) -> AsyncIterator[ItemT | None]:
    """The items, until they end or `stopping` is set.

    What has piled up comes in one turn of the event loop: an item per turn would make a stream late as soon
    as other work makes turns long.

    Args:
        items: Where they come from; closed at the end.
        stopping: When set, this ends.
        heartbeat: After so many seconds without an item None comes; None = never. The first None comes at
            once, when `items` has been started.
    """
    arrived: asyncio.Queue[tuple[ItemT, ...]] = asyncio.Queue(MOST_AHEAD)
    stop = asyncio.ensure_future(stopping.wait())
    pump = asyncio.ensure_future(_pump(items, arrived))
    getting = asyncio.ensure_future(arrived.get())
    try:
        if heartbeat is not None:
            await asyncio.sleep(0)
            yield None
        while not stopping.is_set():
            await asyncio.wait({stop, pump, getting}, timeout=heartbeat, return_when=asyncio.FIRST_COMPLETED)
            if getting.done():
                found = getting.result()
                while found:
                    yield found[0]
                    if arrived.empty():
                        break
                    found = arrived.get_nowait()
                else:
                    return
                getting = asyncio.ensure_future(arrived.get())
            elif pump.done():
                pump.result()  # it has failed, or its last words are on their way
            elif not stop.done():
                yield None
    finally:
        waiting = (stop, pump, getting)
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        close = getattr(items, "aclose", None)
        if close is not None:
            await close()


async def _pump(items: AsyncIterator[ItemT], arrived: asyncio.Queue[tuple[ItemT, ...]]) -> None:
    """Each item as a tuple of one, and an empty one at the end."""
    async for item in items:
        await arrived.put((item,))
    await arrived.put(())


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
