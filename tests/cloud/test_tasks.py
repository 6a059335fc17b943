"""`@bentoml.task` on real parts: an embedded cloud, a served Bento, BentoML's own client."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from _bentoml_impl.tasks import ResultStatus
from bentoml import AsyncHTTPClient
from bentoml.exceptions import BentoMLException
from running_cloud import Client, RunningCloud, wait_for

from bento_jupyter.home import Home

SOURCE = """
import os, time
import bentoml

def note(what):
    with open(os.environ["NOTES"], "a") as file:
        file.write(f"{what}\\n")

@bentoml.service(
    traffic={"concurrency": 1, "timeout": 5},
    http={"cors": {"enabled": True, "access_control_allow_origins": ["https://page.example"]}},
)
class Trainer:
    @bentoml.task
    def train(self, name: str, until: str = "") -> dict:
        note(name)
        if name == "bad":
            raise ValueError("bad data")
        while until and not os.path.exists(until):
            time.sleep(0.01)
        return {"name": name, "pid": os.getpid()}

    @bentoml.api
    def who(self) -> int:
        return os.getpid()
"""

BUILD = """
import bentoml
bento = bentoml.bentos.build(
    "service:Trainer", name="trainer", include=["service.py"], python={"lock_packages": False}
)
print(bento.tag)
"""

DEADLINE = 60.0


@pytest.fixture(scope="module")
def trainer(bentoml: Client, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Tag of a Bento with a task, in the cloud of the session."""
    project = tmp_path_factory.mktemp("trainer")
    (project / "service.py").write_text(SOURCE)
    tag = bentoml.python(BUILD, cwd=project).splitlines()[-1]
    bentoml("push", tag)
    return tag


def deploy(cloud: RunningCloud, tag: str, name: str, notes: Path, **service: object) -> str:
    """Deploy it as a function that is stopped a second after its last request; its URL."""
    scaling = {"min_replicas": 0, "max_replicas": 1, "policy": {"scale_down_stabilization_window": 1}}
    wish = {
        "name": name,
        "bento": tag,
        "envs": [{"name": "NOTES", "value": str(notes)}],
        "services": {"Trainer": {"scaling": scaling, **service}},
    }
    cloud.http.post("/api/v2/deployments", json=wish).raise_for_status()
    return str(cloud.wait_until(name, "scaled-to-zero", seconds=120)["url"])


async def becomes(task: object, wanted: ResultStatus) -> None:
    deadline = asyncio.get_running_loop().time() + DEADLINE
    while (now := await task.get_status()) is not wanted:  # type: ignore[attr-defined]
        assert asyncio.get_running_loop().time() < deadline, f"the task is {now}"
        await asyncio.sleep(0.05)


def test_the_client_of_bentoml_submits_looks_gets_retries_and_cancels(
    cloud: RunningCloud, trainer: str, tmp_path: Path
) -> None:
    notes, go = tmp_path / "notes", tmp_path / "go"
    overrides = {"traffic": {"timeout": 1, "concurrency": 1}}
    url = deploy(cloud, trainer, "tasks-client", notes, config_overrides=overrides)

    async def call() -> None:
        async with AsyncHTTPClient(url, server_ready_timeout=60) as client:
            first = await client.train.submit(name="one", until=str(go))
            second = await client.train.submit(name="two")
            await becomes(first, ResultStatus.IN_PROGRESS)
            assert await second.get_status() is ResultStatus.PENDING  # concurrency is 1
            with pytest.raises(BentoMLException, match="not completed yet"):
                await first.get()
            begun = asyncio.get_running_loop().time()
            while asyncio.get_running_loop().time() < begun + 1.5:  # a request may take 1 s, a task longer
                assert await first.get_status() is ResultStatus.IN_PROGRESS
            third = await client.train.submit(name="three")
            await third.cancel()
            assert await third.get_status() is ResultStatus.CANCELED
            go.touch()
            await becomes(first, ResultStatus.COMPLETED)
            await becomes(second, ResultStatus.COMPLETED)
            assert (await first.get())["name"] == "one"
            again = await second.retry()
            bad = await client.train.submit(name="bad")
            await becomes(bad, ResultStatus.FAILED)
            with pytest.raises(BentoMLException, match=r"bad data|unexpected"):
                await bad.get()
            cloud.wait_until("tasks-client", "scaled-to-zero")
            assert (await again.get())["name"] == "two"
            assert (await first.get())["name"] == "one"
            assert cloud.view("tasks-client")["ready"] == 0  # asking for results wakes nobody

    asyncio.run(call())
    assert notes.read_text().split() == ["one", "two", "two", "bad"]


def test_tasks_survive_kill_9_of_the_cloud_and_none_runs_twice(
    start_cloud: Callable[..., RunningCloud], bentoml: Client, trainer: str, tmp_path: Path
) -> None:
    home = Home(tmp_path / "home")
    cloud = start_cloud(home)
    there = {"BENTO_CLOUD_API_ENDPOINT": cloud.endpoint, "BENTO_CLOUD_API_KEY": cloud.token}
    bentoml("push", trainer, environment=there)
    notes, never = tmp_path / "notes", tmp_path / "never"
    url = deploy(cloud, trainer, "trainer", notes)

    def submit(**arguments: str) -> str:
        return str(httpx.post(f"{url}/train/submit", json=arguments, trust_env=False).json()["task_id"])

    def asked(action: str, task: str) -> httpx.Response:
        return httpx.get(f"{url}/train/{action}", params={"task_id": task}, trust_env=False)

    def wait(task: str, wanted: str) -> None:
        async def look() -> None:
            deadline = asyncio.get_running_loop().time() + DEADLINE
            while (now := asked("status", task).json()["status"]) != wanted:
                assert asyncio.get_running_loop().time() < deadline, f"the task is {now}"
                await asyncio.sleep(0.05)

        asyncio.run(look())

    done = submit(name="done")
    wait(done, "completed")
    running = submit(name="running", until=str(never))
    wait(running, "in_progress")
    waiting = submit(name="waiting")
    cloud.stop(signal.SIGKILL)
    cloud = start_cloud(home)
    cloud.wait_until("trainer", "running", "scaled-to-zero")
    wait(waiting, "completed")
    assert asked("get", waiting).json()["name"] == "waiting"
    assert asked("get", done).json()["name"] == "done"
    wait(running, "failed")
    assert "was not run again" in asked("get", running).text  # cloud or instance: who was seen to die first
    assert notes.read_text().split() == ["done", "running", "waiting"]
    pid = cloud.view("trainer")["instances"][0]["pid"]
    killed = submit(name="killed", until=str(never))
    wait(killed, "in_progress")
    os.kill(pid, signal.SIGKILL)
    wait(killed, "failed")
    assert asked("get", killed).status_code == 502
    last = submit(name="last")
    wait(last, "completed")
    assert notes.read_text().split() == ["done", "running", "waiting", "killed", "last"]


def test_a_rollout_waits_for_the_tasks_of_the_old_instance_and_the_schema_needs_no_instance(
    cloud: RunningCloud, trainer: str, tmp_path: Path
) -> None:
    notes, go, name = tmp_path / "notes", tmp_path / "go", "tasks-rollout"
    url = deploy(cloud, trainer, name, notes)
    page = {"Origin": "https://page.example"}
    with httpx.Client(base_url=url, trust_env=False, timeout=60, headers=page) as http:
        asleep = http.get("/schema.json")
        assert cloud.view(name)["ready"] == 0
        assert http.get("/metrics").status_code == 200
        pid = http.post("/who", json={}).json()
        awake = http.get("/schema.json")
        assert asleep.content == awake.content
        assert asleep.headers["content-type"] == awake.headers["content-type"]
        task = http.post("/train/submit", json={"name": "one", "until": str(go)}).json()["task_id"]
        cloud.http.post("/api/bj/v1/deployments/tasks-rollout/restart").raise_for_status()
        cloud.wait_until(name, "running")
        other = http.post("/who", json={}).json()
        assert other != pid
        assert http.get("/train/status", params={"task_id": task}).json()["status"] == "in_progress"
        go.touch()
        status = {"task_id": task}
        wait_for(lambda: http.get("/train/status", params=status).json()["status"] == "completed")
        answer = http.get("/train/get", params={"task_id": task})
        assert answer.json() == {"name": "one", "pid": pid}
        allowed = "access-control-allow-origin"
        assert answer.headers[allowed] == awake.headers[allowed] == page["Origin"]


def test_a_deployment_says_in_its_extras_that_it_wants_no_retries(
    cloud: RunningCloud, trainer: str, tmp_path: Path
) -> None:
    notes, never, name = tmp_path / "notes", tmp_path / "never", "tasks-retries"
    url = deploy(cloud, trainer, name, notes, extras={"retries": False})
    with httpx.Client(base_url=url, trust_env=False, timeout=60) as http, ThreadPoolExecutor(1) as other:
        pid = http.post("/who", json={}).json()
        call = other.submit(http.post, "/train", json={"name": "once", "until": str(never)})
        wait_for(notes.exists)
        os.kill(pid, signal.SIGKILL)
        assert call.result().status_code == 502
        assert http.post("/who", json={}).json() != pid
    assert notes.read_text().split() == ["once"]
