"""Several sets of replicas behind one port: who gets a request, and who is called from inside."""

from __future__ import annotations

import asyncio
import collections
import stat
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cloud.gateway_harness import Deployment, Gateway, answer, raw_replica, read_head, running_gateway, until
from hypothesis import given
from hypothesis import strategies as st

from bento_jupyter.cloud.gateway.heads import parse_request
from bento_jupyter.cloud.gateway.split import MAIN, Split

pytestmark = pytest.mark.anyio

LIMITS = {
    "port": None,
    "concurrency": 2,
    "queue": 10,
    "timeout": 30,
    "cold_start_timeout": 30,
    "closed": None,
}


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def gateway() -> AsyncIterator[Gateway]:
    async with running_gateway() as gateway:
        yield gateway


def says(word: bytes) -> Any:
    async def handler(reader: Any, writer: Any) -> None:
        while True:
            await read_head(reader)
            writer.write(answer(word))

    return raw_replica(handler)


def offer(deployment: Deployment, name: str, *replicas: Any, **route: Any) -> None:
    deployment.gateway.send(op="route", deployment=deployment.name, set=name, **{**LIMITS, **route})
    named = [{"id": replica.id, "socket": str(replica.path)} for replica in replicas]
    deployment.gateway.send(op="replicas", deployment=deployment.name, set=name, replicas=named)


def split(by: str, key: str = "", **shares: float) -> dict[str, Any]:
    return {"by": by, "key": key, "shares": list(shares.items())}


async def test_requests_are_shared_out_by_weight_and_each_version_counts_its_own(gateway: Gateway) -> None:
    deployment = await gateway.deploy()
    async with says(b"main") as main, says(b"canary") as canary, deployment.client() as client:
        offer(deployment, "canary", canary)
        deployment.replicas(main)
        deployment.update(split=split("random", canary=30))
        seen = collections.Counter([(await client.get("/")).text for _ in range(400)])
        assert set(seen) == {"main", "canary"}
        assert 70 <= seen["canary"] <= 175
        await deployment.load(set="canary", requests=seen["canary"])
        assert {(await client.get("/readyz")).text for _ in range(30)} == {"main"}
        deployment.update(split=split("random"))

        async def all_main() -> None:
            while {(await client.get("/")).text for _ in range(30)} != {"main"}:
                pass

        await asyncio.wait_for(all_main(), 20)


@pytest.mark.parametrize("by", ["header", "query"])
async def test_one_caller_always_meets_the_same_version(gateway: Gateway, by: str) -> None:
    deployment = await gateway.deploy()
    async with says(b"main") as main, says(b"canary") as canary, deployment.client() as client:
        offer(deployment, "canary", canary)
        deployment.replicas(main)
        deployment.update(split=split(by, "X-User", canary=50))

        async def ask(user: int) -> str:
            place = {"headers": {"x-user": f"user {user}"}, "params": {"X-User": f"user {user}"}}
            sent = {"headers": place["headers"]} if by == "header" else {"params": place["params"]}
            return (await client.get("/", **sent)).text

        first = [await ask(user) for user in range(60)]
        assert [await ask(user) for user in range(60)] == first
        assert 10 <= first.count("canary") <= 50


async def test_a_request_to_a_sleeping_version_wakes_that_one(gateway: Gateway) -> None:
    deployment = await gateway.deploy()
    async with says(b"main") as main, says(b"canary") as canary, deployment.client() as client:
        offer(deployment, "canary")
        deployment.replicas(main)
        deployment.update(split=split("random", canary=100))
        await deployment.hears("listening")
        await until(lambda: deployment.heard("load"))
        call = asyncio.create_task(client.get("/"))
        assert (await deployment.hears("wake"))["set"] == "canary"
        offer(deployment, "canary", canary)
        assert (await call).text == "canary"


async def test_services_call_each_other_at_a_socket_that_is_nobody_elses(gateway: Gateway) -> None:
    deployment = await gateway.deploy(protected=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "back.sock"
        async with says(b"back") as back:
            offer(deployment, "main/Back", back, socket=str(path))
            await until(path.exists)
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            transport = httpx.AsyncHTTPTransport(uds=str(path))
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:3000") as client:
                assert (await client.post("/ask", json={})).text == "back"
            async with deployment.client() as outside:
                assert (await outside.post("/ask", json={})).status_code == 401
            gateway.send(op="remove", deployment=deployment.name, set="main/Back")
            await until(lambda: not path.exists())


async def test_a_gateway_leaves_no_socket_behind() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "back.sock"
        async with running_gateway() as gateway:
            deployment = await gateway.deploy()
            offer(deployment, "main/Back", socket=str(path))
            await until(path.exists)
        assert not path.exists()


@given(
    weights=st.lists(st.integers(0, 50), min_size=2, max_size=2),
    user=st.text(alphabet="abcdef09", min_size=1),
)
def test_a_canary_that_grows_keeps_its_callers(weights: list[int], user: str) -> None:
    head = parse_request(b"GET /?u=%b HTTP/1.1\r\nHost: x\r\n\r\n" % user.encode())
    small, large = sorted(weights)
    before = Split("query", "u", (("a", small),)).choose(head)
    after = Split("query", "u", (("a", large),)).choose(head)
    assert before in (after, MAIN)
