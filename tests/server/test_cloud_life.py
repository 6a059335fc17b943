"""The cloud comes, goes, crashes and is out of reach."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import time

import pytest
from realcloud import RealCloud
from tornado.httpclient import HTTPClientError

from bento_jupyter.home import CloudState


@pytest.fixture
def cloud(own: RealCloud) -> RealCloud:
    return own


async def overview(jp_fetch):
    return json.loads((await jp_fetch("bento-jupyter", "overview")).body)


async def state_becomes(jp_fetch, wanted, timeout=10.0):
    deadline = time.monotonic() + timeout
    while (shown := await overview(jp_fetch))["state"] != wanted:
        assert time.monotonic() < deadline, shown
        await asyncio.sleep(0.02)
    return shown


async def next_hint(listener, timeout=5.0):
    return json.loads(await asyncio.wait_for(listener.read_message(), timeout))


async def test_no_cloud_is_a_state_not_an_error(jp_fetch):
    shown = await overview(jp_fetch)
    assert (shown["state"], shown["cloud"], shown["deployments"]) == ("stopped", None, [])


async def test_actions_without_a_cloud_say_so(jp_fetch):
    with pytest.raises(HTTPClientError) as caught:
        await jp_fetch("bento-jupyter", "deployments", "hello", "terminate", method="POST", body="")
    assert caught.value.code == 503
    said = json.loads(caught.value.response.body)
    assert "not running" in said["message"]
    assert said["hint"]


async def test_it_is_started_and_stopped_from_the_sidebar(jp_fetch, cloud):
    answer = await jp_fetch("bento-jupyter", "cloud", "start", method="POST", body="", request_timeout=60)
    assert json.loads(answer.body)["state"] == "running"
    assert cloud.state.endpoint == json.loads(answer.body)["cloud"]["endpoint"]
    answer = await jp_fetch("bento-jupyter", "cloud", "stop", method="POST", body="", request_timeout=60)
    assert json.loads(answer.body)["state"] == "stopped"
    assert cloud.home.read_state() is None


async def test_one_that_is_started_and_stopped_elsewhere_is_hinted_at(jp_fetch, jp_ws_fetch, cloud):
    listener = await jp_ws_fetch("api", "events", "subscribe")
    assert (await overview(jp_fetch))["state"] == "stopped"
    await asyncio.to_thread(cloud.start)
    assert (await next_hint(listener))["cloud"] is True
    await state_becomes(jp_fetch, "running")
    await asyncio.to_thread(cloud.stop)
    while (await overview(jp_fetch))["state"] != "stopped":
        await next_hint(listener)
    listener.close()


async def test_a_crash_is_hinted_at_and_shown_as_stopped(jp_fetch, jp_ws_fetch, cloud):
    await asyncio.to_thread(cloud.start)
    listener = await jp_ws_fetch("api", "events", "subscribe")
    await overview(jp_fetch)
    assert (await next_hint(listener))["cloud"] is True
    cloud.kill()
    assert (await next_hint(listener))["cloud"] is True
    await state_becomes(jp_fetch, "stopped")
    assert cloud.home.read_state() is not None, "a crash leaves its state file"
    await asyncio.to_thread(cloud.start)
    while (await overview(jp_fetch))["state"] != "running":
        await next_hint(listener)
    listener.close()


async def test_a_cloud_that_does_not_answer_is_told_from_one_that_is_gone(jp_fetch, cloud):
    await asyncio.to_thread(cloud.start)
    state = cloud.state
    nobody = dataclasses.replace(state, endpoint="http://127.0.0.1:1")
    cloud.home.write_state(nobody)
    shown = await overview(jp_fetch)
    assert shown["state"] == "unreachable"
    assert "127.0.0.1:1" in shown["message"]
    gone: CloudState = dataclasses.replace(nobody, pid=2**22 + 1)
    cloud.home.write_state(gone)
    assert (await overview(jp_fetch))["state"] == "stopped"
    cloud.home.write_state(state)
    assert (await overview(jp_fetch))["state"] == "running"


async def test_a_wrong_token_is_not_taken_for_the_browsers_fault(jp_fetch, jp_ws_fetch, cloud):
    await asyncio.to_thread(cloud.start)
    listener = await jp_ws_fetch("api", "events", "subscribe")
    file = cloud.home.token_file
    right = file.read_text()
    file.write_text("not-the-token")
    shown = await overview(jp_fetch)
    assert shown["state"] == "refused"
    assert shown["message"]
    with pytest.raises(HTTPClientError) as caught:
        await jp_fetch("bento-jupyter", "deployments", "hello")
    assert caught.value.code == 502
    file.unlink()
    assert str(file) in (await overview(jp_fetch))["message"]
    file.write_text(right)
    while (await overview(jp_fetch))["state"] != "running":
        await next_hint(listener)
    listener.close()
