"""Tasks as callers meet them: kept by the gateway, whatever becomes of replicas, gateway and cloud."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cloud.gateway_harness import (
    DEADLINE,
    Deployment,
    Gateway,
    Replica,
    asgi_replica,
    raw_replica,
    read_head,
    running_gateway,
)
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bento_jupyter.cloud.gateway.cors import Cors
from bento_jupyter.cloud.gateway.taskstore import KEPT_SECONDS, Status, TaskStore

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


class Trainer:
    """A service with one method, that the test lets go on."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.seen: list[str] = []
        self.app = Starlette(routes=[Route("/train", self.train, methods=["POST"])])

    async def train(self, request: Request) -> Response:
        body = (await request.body()).decode()
        self.seen.append(body)
        if body != "quick":
            await self.gate.wait()
        if body == "bad":
            return JSONResponse({"error": "bad"}, status_code=400)
        given = {"got": body, "query": request.url.query, "type": request.headers.get("content-type")}
        return JSONResponse(given, headers={"X-Own": "field"})


@contextlib.asynccontextmanager
async def serving(trainer: Trainer, deployment: Deployment) -> AsyncIterator[Replica]:
    async with asgi_replica(trainer.app) as replica:
        deployment.replicas(replica)
        try:
            yield replica
        finally:
            trainer.gate.set()


@pytest.fixture(scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    async with running_gateway(tmp_path_factory.mktemp("tasks") / "tasks.db") as gateway:
        yield gateway


async def deploy(gateway: Gateway, owner: str, **policy: Any) -> Deployment:
    return await gateway.deploy(owner=owner, tasks=["/train"], **policy)


async def submit(client: httpx.AsyncClient, content: bytes | str, **options: Any) -> str:
    response = await client.post("/train/submit", content=content, **options)
    assert response.status_code == 200, response.text
    assert response.json()["status"] in ("pending", "in_progress")
    return str(response.json()["task_id"])


async def status(client: httpx.AsyncClient, task: str) -> str:
    response = await client.get("/train/status", params={"task_id": task})
    assert response.json()["task_id"] == task
    return str(response.json()["status"])


async def becomes(client: httpx.AsyncClient, task: str, wanted: str) -> None:
    deadline = asyncio.get_running_loop().time() + DEADLINE
    while (now := await status(client, task)) != wanted:
        assert asyncio.get_running_loop().time() < deadline, f"the task is {now}"
        await asyncio.sleep(0.01)


async def get(client: httpx.AsyncClient, task: str) -> httpx.Response:
    return await client.get("/train/get", params={"task_id": task})


async def test_a_task_waits_runs_and_leaves_its_answer_as_the_replica_gave_it(gateway: Gateway) -> None:
    deployment, trainer = await deploy(gateway, "a"), Trainer()
    async with deployment.client() as client:
        task = await submit(client, "data", params={"a": "1"}, headers={"Content-Type": "text/x-own"})
        assert await status(client, task) == "pending"
        assert (await get(client, task)).status_code == 400
        await deployment.hears("wake")
        await deployment.load(waiting=1)
        async with serving(trainer, deployment):
            await becomes(client, task, "in_progress")
            await deployment.load(waiting=0, in_flight=1)
            assert (await get(client, task)).json() == {"error": f"task {task} is not completed yet"}
            trainer.gate.set()
            await becomes(client, task, "completed")
            await deployment.load(in_flight=0, requests=1, errors=0)
        deployment.replicas()  # to zero: the result does not need a replica
        answer = await get(client, task)
        assert answer.status_code == 200
        assert answer.json() == {"got": "data", "query": "a=1", "type": "text/x-own"}
        assert answer.headers["x-own"] == "field"
        assert trainer.seen == ["data"]


async def test_chunked_input_and_expectations_are_taken(gateway: Gateway) -> None:
    deployment, trainer = await deploy(gateway, "b"), Trainer()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"qui"
        yield b"ck"

    async with deployment.client() as client, serving(trainer, deployment):
        for _ in range(2):  # equal calls on one connection are two tasks
            task = await submit(client, pieces())  # type: ignore[arg-type]
            await becomes(client, task, "completed")
        for _ in range(2):
            await becomes(client, await submit(client, "quick"), "completed")
        head = b"POST /train/submit HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        reader, writer = await asyncio.open_connection("127.0.0.1", deployment.port)
        writer.write(head)
        assert await read_head(reader) == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"quick")
        assert (await read_head(reader)).startswith(b"HTTP/1.1 200 OK")
        writer.close()
    assert trainer.seen[:4] == ["quick"] * 4


async def test_a_task_that_a_relay_could_not_deliver_waits_for_the_next_replica(gateway: Gateway) -> None:
    deployment, trainer = await deploy(gateway, "undelivered"), Trainer()
    trainer.gate.set()

    async def relays(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(b"\0")

    async with deployment.client() as client, raw_replica(relays) as relay:
        deployment.replicas(relay)
        task = await submit(client, "quick")
        await deployment.hears("lost", replica=relay.id)
        async with serving(trainer, deployment):
            await becomes(client, task, "completed")
    assert trainer.seen == ["quick"]


async def test_tasks_run_in_their_order_under_the_cap_beside_requests(gateway: Gateway) -> None:
    deployment, trainer = await deploy(gateway, "c", concurrency=1), Trainer()
    trainer.gate.set()
    async with deployment.client() as client:
        tasks = [await submit(client, str(number)) for number in range(5)]
        call = asyncio.create_task(client.post("/train", content="call"))
        await deployment.load(waiting=6)
        async with serving(trainer, deployment):
            for task in tasks:
                await becomes(client, task, "completed")
            await call
    assert trainer.seen == ["0", "1", "2", "3", "4", "call"]


async def test_a_failed_task_keeps_the_answer_and_can_be_tried_again_as_a_new_one(gateway: Gateway) -> None:
    deployment, trainer = await deploy(gateway, "d"), Trainer()
    trainer.gate.set()
    async with deployment.client() as client, serving(trainer, deployment):
        task = await submit(client, "bad")
        await becomes(client, task, "failed")
        failed = await get(client, task)
        assert (failed.status_code, failed.json()) == (400, {"error": "bad"})
        again = (await client.post("/train/retry", params={"task_id": task})).json()["task_id"]
        assert again != task
        await becomes(client, again, "failed")
        assert trainer.seen == ["bad", "bad"]


async def test_a_task_whose_replica_dies_failed_and_was_not_sent_twice(gateway: Gateway) -> None:
    async def dies(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)

    deployment = await deploy(gateway, "e")
    async with raw_replica(dies) as first, raw_replica(dies) as second, deployment.client() as client:
        deployment.replicas(first, second)
        task = await submit(client, "x")
        await becomes(client, task, "failed")
        answer = await get(client, task)
        assert answer.status_code == 502
        assert "not run again" in answer.json()["error"]
        assert first.connections + second.connections == 1


async def test_a_task_whose_replica_cannot_be_reached_goes_to_another(gateway: Gateway) -> None:
    deployment, trainer = await deploy(gateway, "f"), Trainer()
    async with raw_replica(read_head) as gone, deployment.client() as client:  # type: ignore[arg-type]
        gone.server.close()  # type: ignore[attr-defined]
        deployment.replicas(gone)
        task = await submit(client, "quick")
        await deployment.hears("lost", replica=gone.id)
        async with serving(trainer, deployment):
            await becomes(client, task, "completed")
    assert trainer.seen == ["quick"]


async def test_a_waiting_task_can_be_canceled_and_never_runs(gateway: Gateway) -> None:
    deployment, trainer = await deploy(gateway, "g"), Trainer()
    async with deployment.client() as client:
        task = await submit(client, "data")
        canceled = await client.put("/train/cancel", params={"task_id": task})
        assert canceled.json() == {"task_id": task, "status": "canceled"}
        await deployment.load(waiting=0)
        async with serving(trainer, deployment):
            other = await submit(client, "quick")
            await becomes(client, other, "completed")
            assert await status(client, task) == "canceled"
            assert (await get(client, task)).status_code == 400
            assert (await client.put("/train/cancel", params={"task_id": task})).status_code == 200
            assert (await client.put("/train/cancel", params={"task_id": other})).status_code == 409
    assert trainer.seen == ["quick"]


async def test_a_running_task_is_canceled_at_once_and_its_slot_held_while_the_replica_works(
    gateway: Gateway,
) -> None:
    deployment, trainer = await deploy(gateway, "h", concurrency=1), Trainer()
    async with deployment.client() as client, serving(trainer, deployment):
        task = await submit(client, "data")
        await becomes(client, task, "in_progress")
        await client.put("/train/cancel", params={"task_id": task})
        assert await status(client, task) == "canceled"
        other = await submit(client, "quick")
        await deployment.load(waiting=1, in_flight=1)
        trainer.gate.set()
        await becomes(client, other, "completed")
        assert await status(client, task) == "canceled"


async def test_what_is_asked_wrongly_is_answered_in_the_words_of_bentoml(gateway: Gateway) -> None:
    deployment = await deploy(gateway, "i")
    async with deployment.client() as client:
        for path, method in (("status", "GET"), ("get", "GET"), ("retry", "POST"), ("cancel", "PUT")):
            without = await client.request(method, f"/train/{path}")
            assert (without.status_code, without.json()) == (400, {"error": "task_id is required"})
            unknown = await client.request(method, f"/train/{path}", params={"task_id": "no"})
            assert (unknown.status_code, unknown.json()) == (404, {"error": "task_id not found"})
        assert deployment.heard("wake") == []


async def test_the_tasks_of_one_deployment_are_not_those_of_another(gateway: Gateway) -> None:
    mine, other = await deploy(gateway, "j1"), await deploy(gateway, "j2")
    async with mine.client() as client, other.client() as stranger:
        task = await submit(client, "x")
        assert (await get(stranger, task)).status_code == 404
        assert (await stranger.put("/train/cancel", params={"task_id": task})).status_code == 404


async def test_a_full_queue_takes_no_more_tasks_and_a_protected_deployment_none_without_a_token(
    gateway: Gateway,
) -> None:
    deployment = await deploy(gateway, "k", queue=1)
    async with deployment.client() as client:
        await submit(client, "1")
        refused = await client.post("/train/submit", content="2")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        closed = await deploy(gateway, "k2", protected=True)
        async with closed.client() as stranger:
            for action, method in (("submit", "POST"), ("get", "GET")):
                assert (await stranger.request(method, f"/train/{action}")).status_code == 401


async def test_tasks_outlast_the_limit_of_requests_and_a_deployment_that_is_closed(gateway: Gateway) -> None:
    deployment, trainer = await deploy(gateway, "l", cold_start_timeout=0.2), Trainer()
    trainer.gate.set()
    async with deployment.client() as client:
        task = await submit(client, "data")
        assert (await client.post("/train", content="x")).status_code == 503  # the limit has passed for both
        assert await status(client, task) == "pending"
        deployment.update(closed="it is terminated")
        await deployment.load(waiting=0)
        assert (await client.post("/train/submit", content="x")).status_code == 503
        assert await status(client, task) == "pending"
        deployment.update(closed=None)
        await deployment.load(waiting=1)
        async with serving(trainer, deployment):
            await becomes(client, task, "completed")
    assert trainer.seen == ["data"]


async def test_tasks_survive_the_end_of_the_gateway_and_none_runs_twice(tmp_path: Path) -> None:
    trainer, file = Trainer(), tmp_path / "tasks.db"
    async with running_gateway(file) as first:
        deployment = await deploy(first, "m", concurrency=1)
        async with deployment.client() as client, asgi_replica(trainer.app) as replica:
            deployment.replicas(replica)
            done = await submit(client, "quick")
            await becomes(client, done, "completed")
            running = await submit(client, "slow")
            await becomes(client, running, "in_progress")
            waiting = [await submit(client, f"{number}") for number in range(3)]
            first.process.kill()
    trainer.gate.set()
    async with running_gateway(file) as second:
        deployment = await deploy(second, "m", concurrency=1)
        await deployment.hears("wake")
        async with deployment.client() as client, serving(trainer, deployment):
            assert (await get(client, done)).json()["got"] == "quick"
            assert await status(client, running) == "failed"
            assert "was stopped while this task ran" in (await get(client, running)).json()["error"]
            for task in waiting:
                await becomes(client, task, "completed")
    assert trainer.seen == ["quick", "slow", "0", "1", "2"]


async def test_a_deleted_deployment_takes_its_tasks_along(tmp_path: Path) -> None:
    file = tmp_path / "tasks.db"
    async with running_gateway(file) as gateway:
        deployment = await deploy(gateway, "n")
        async with deployment.client() as client:
            task = await submit(client, "x")
        gateway.send(op="remove", deployment=deployment.name)
        again = await deploy(gateway, "n")
        async with again.client() as client:
            assert (await client.get("/train/status", params={"task_id": task})).status_code == 404


async def test_a_canaries_task_goes_to_the_main_version_when_the_canary_is_gone(gateway: Gateway) -> None:
    deployment, trainer = await deploy(gateway, "o"), Trainer()
    trainer.gate.set()
    gateway.send(
        op="route", deployment=deployment.name, **{**deployment.policy, "port": None, "set": "canary"}
    )
    deployment.update(split={"by": "random", "key": "", "shares": [["canary", 100]]})
    async with deployment.client() as client:
        deployment.replicas()
        await deployment.load(waiting=0)  # so the messages before have been heard
        task = await submit(client, "data")
        await deployment.hears("wake", set="canary")
        deployment.update(split=None)
        gateway.send(op="remove", deployment=deployment.name, set="canary")
        async with serving(trainer, deployment):
            await becomes(client, task, "completed")


async def test_results_are_kept_for_a_day(tmp_path: Path) -> None:
    clock = [1_000_000.0]
    store = TaskStore(str(tmp_path / "tasks.db"), (b"", b""), now=lambda: clock[0])
    old = await store.add("owner", "main", b"request")
    assert await store.begin(old.id) == b"request"
    assert await store.begin(old.id) is None
    assert await store.end(old.id, Status.COMPLETED, b"HTTP/1.1 200 OK\r\n", b"result")
    assert not await store.end(old.id, Status.CANCELED, None, b"")
    clock[0] += KEPT_SECONDS - 1
    assert await store.answer(old.id) == (b"HTTP/1.1 200 OK\r\n", b"result")
    young = await store.add("owner", "main", b"request")
    clock[0] += 700
    assert await store.get("owner", old.id) is None
    row = await store.get("owner", young.id)
    assert row is not None
    assert row.status == "pending"
    store.close()


async def test_a_task_too_large_is_refused_before_it_is_sent(gateway: Gateway) -> None:
    deployment = await deploy(gateway, "p")
    head = b"POST /train/submit HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999\r\n\r\n"
    assert (await deployment.raw(head)).startswith(b"HTTP/1.1 413 ")


async def test_pages_of_other_origins_read_of_tasks_what_the_service_lets_them_read(gateway: Gateway) -> None:
    page, other = {"Origin": "https://page.example"}, {"Origin": "https://other.example"}
    cors = {
        "enabled": True,
        "access_control_allow_origins": ["https://page.example", "https://other.example"],
    }
    deployment, trainer = await deploy(gateway, "cors", cors=cors), Trainer()
    trainer.app.add_middleware(CORSMiddleware, allow_origins=cors["access_control_allow_origins"])
    async with deployment.client() as client, serving(trainer, deployment):
        submitted = await client.post("/train/submit", content="quick", headers=page)
        assert submitted.headers.get_list("access-control-allow-origin") == ["https://page.example"]
        task = submitted.json()["task_id"]
        await becomes(client, task, "completed")
        for asker in (page, other):
            for path in ("status", "get"):
                answer = await client.get(f"/train/{path}", params={"task_id": task}, headers=asker)
                assert answer.status_code == 200
                assert answer.headers.get_list("access-control-allow-origin") == [asker["Origin"]]
        unknown = await client.get("/train/get", params={"task_id": "none"}, headers=page)
        assert unknown.status_code == 404
        assert unknown.headers["access-control-allow-origin"] == "https://page.example"
        foreign = await client.get(
            "/train/get", params={"task_id": task}, headers={"Origin": "https://x.example"}
        )
        assert "access-control-allow-origin" not in foreign.headers
        assert "access-control-allow-origin" not in (await get(client, task)).headers


@pytest.mark.parametrize("origin", [None, "https://a.example", "https://b.example", "https://c.test"])
@pytest.mark.parametrize("credentials", [None, True])
@pytest.mark.parametrize("expose", [None, "X-One", ["X-One", "X-Two"]])
@pytest.mark.parametrize(
    ("origins", "regex"),
    [
        ("*", None),
        (["https://a.example"], None),
        (None, "https://.*[.]test"),
        (["https://a.example"], "https://b.*"),
    ],
)
async def test_who_may_read_is_decided_as_the_service_decides(
    origin: str | None, credentials: bool | None, expose: Any, origins: Any, regex: str | None
) -> None:
    config = {
        "enabled": True,
        "access_control_allow_origins": origins,
        "access_control_allow_origin_regex": regex,
        "access_control_allow_credentials": credentials,
        "access_control_expose_headers": expose,
    }
    cors = Cors.from_config(config)
    assert cors is not None
    options = {
        "allow_origins": [origins] if isinstance(origins, str) else origins or (),
        "allow_origin_regex": regex,
        "allow_credentials": bool(credentials),
        "expose_headers": [expose] if isinstance(expose, str) else expose or (),
    }
    app = Starlette(
        routes=[Route("/", lambda _: Response())], middleware=[Middleware(CORSMiddleware, **options)]
    )
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        theirs = (await client.get("/", headers={"Origin": origin} if origin else {})).headers
    lines = cors.fields(origin.encode() if origin else None).decode().split("\r\n")[:-1]
    ours = dict(line.lower().split(": ", 1) for line in lines)
    told = ("vary", "access-control-")
    assert ours == {name: value.lower() for name, value in theirs.items() if name.startswith(told)}


def test_a_service_without_cors_says_nothing() -> None:
    assert Cors.from_config(None) is None
    assert Cors.from_config({"enabled": False, "access_control_allow_origins": "*"}) is None
