"""Endless answers: nothing is late, nothing is lost, and they end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import wraps

import pytest

from bento_jupyter.cloud.api.streams import until

MANY = 1000


def on_a_loop(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    @wraps(test)
    def run() -> None:
        async def scenario() -> None:
            await test()

        asyncio.run(scenario())

    return run


async def piled_up() -> AsyncIterator[int]:
    for number in range(MANY):
        yield number


async def broken() -> AsyncIterator[int]:
    yield 1
    raise OSError("the disk is gone")


@on_a_loop
async def test_what_has_piled_up_comes_within_a_few_turns_of_the_loop() -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    assert [item async for item in until(piled_up(), asyncio.Event())] == list(range(MANY))
    counting.cancel()
    assert turns < MANY / 4


@on_a_loop
async def test_a_failure_comes_after_what_came_before_it() -> None:
    stream = until(broken(), asyncio.Event())
    assert await anext(stream) == 1
    with pytest.raises(OSError, match="the disk is gone"):
        await anext(stream)


@on_a_loop
async def test_it_ends_with_the_cloud_and_closes_where_the_items_come_from() -> None:
    stopping = asyncio.Event()
    closed = asyncio.Event()

    async def endless() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            closed.set()

    came = []
    async for item in until(endless(), stopping, heartbeat=30):
        came.append(item)
        if item is not None:
            stopping.set()
    assert came == [None, 1]
    assert closed.is_set()
