"""Hints are few, and none is lost."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jupyter_events import EventLogger

from bento_jupyter.server.app import EVENT_SCHEMA_ID
from bento_jupyter.server.hints import Coalescer, Hint

HINTS = st.builds(
    Hint,
    names=st.lists(st.sampled_from("abcd"), unique=True).map(sorted),
    cloud=st.booleans(),
    event_id=st.integers(0, 100),
)


@pytest.fixture(autouse=True)
def jp_server_cleanup():
    """No Jupyter server here."""


@given(HINTS, HINTS, HINTS)
def test_hints_join_in_any_order(a, b, c):
    assert a | b == b | a
    assert (a | b) | c == a | (b | c)
    assert a | a == a
    assert a | Hint() == a


@given(st.lists(HINTS, min_size=1, max_size=30))
def test_a_burst_is_passed_on_as_two_hints_that_hold_it_all(burst):
    passed: list[Hint] = []
    wanted = min(2, len(burst))

    async def run():
        done = asyncio.Event()

        def take(hint):
            passed.append(hint)
            if len(passed) == wanted:
                done.set()

        coalescer = Coalescer(take, interval=0.001)
        for hint in burst:
            coalescer.add(hint)
        assert passed == burst[:1], "the first is passed on at once"
        await asyncio.wait_for(done.wait(), 5)
        coalescer.close()

    asyncio.run(run())
    assert len(passed) == wanted
    joined = Hint()
    for hint in burst:
        joined |= hint
    shown = Hint()
    for hint in passed:
        shown |= hint
    assert shown == joined


async def test_every_hint_fits_the_schema_of_its_event():
    logger = EventLogger()
    schema = Path(__file__).parents[2] / "bento_jupyter/server/events/deployments.v1.yaml"
    logger.register_event_schema(schema)
    received: list[dict] = []

    async def listen(logger, schema_id, data):
        received.append(data)

    logger.add_listener(schema_id=EVENT_SCHEMA_ID, listener=listen)
    hints = [Hint(), Hint(context="team", names=["a", "b"], cloud=True, event_id=7)]
    for hint in hints:
        logger.emit(schema_id=EVENT_SCHEMA_ID, data=hint.model_dump())
    await logger.gather_listeners()
    assert received == [
        {"context": "", "names": [], "cloud": False, "event_id": 0},
        {"context": "team", "names": ["a", "b"], "cloud": True, "event_id": 7},
    ]
