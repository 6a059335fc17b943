"""The control plane: calls with many deployments, what an idle one costs, the start, memory at rest."""

from __future__ import annotations

import io
import os
import statistics
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psutil
import pytest
from built_bento import build_bento

from bento_jupyter.client import embedded
from bento_jupyter.home import Home

SOURCE = """
import bentoml

@bentoml.service
class Service:
    @bentoml.api
    def one(self) -> int:
        return 1
"""
STARTS = 7
MANY = 1000
#: Seconds that processor time is taken over.
WATCHED = 10.0
#: What any such server imports: the floor of its start and of its memory.
FLOOR = "import alembic.command, sqlalchemy.orm, starlette.applications, uvicorn, uvloop, httptools, pydantic"


def manifest() -> dict:
    return {
        "service": "service:Service",
        "bentoml_version": "1.4.39",
        "size_bytes": 1,
        "entry_service": "Service",
        "services": [{"name": "Service", "service": ""}],
    }


def push(http: httpx.Client, bento: Path) -> None:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:") as tar:
        tar.add(bento, arcname=".")
    http.post("/api/v1/bento_repositories", json={"name": "many"}).raise_for_status()
    path = "/api/v1/bento_repositories/many/bentos"
    http.post(path, json={"version": "v1", "manifest": manifest()}).raise_for_status()
    http.put(f"{path}/v1/upload", content=target.getvalue()).raise_for_status()


def create(http: httpx.Client, name: str) -> None:
    wish = {"name": name, "bento": "many:v1", "services": {"Service": {"scaling": {"min_replicas": 0}}}}
    http.post("/api/v2/deployments", json=wish).raise_for_status()


def p95(call: Callable[[], object], rounds: int = 60) -> float:
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    return sorted(times)[int(0.95 * rounds)]


def settle(http: httpx.Client, count: int) -> None:
    """Wait until all deployments are idle."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        views = http.get("/api/bj/v1/deployments").raise_for_status().json()["deployments"]
        if len(views) == count and all(view["status"] == "scaled-to-zero" for view in views):
            return
        time.sleep(0.5)
    raise AssertionError("the deployments do not become idle")


def measured(http: httpx.Client, present: int) -> dict[str, float]:
    """p95 of each call with so many deployments present."""
    numbers = iter(range(10**6))
    name = "d-0"

    def create_one() -> None:
        create(http, f"x{present}-{next(numbers)}")

    found = {
        "get": p95(lambda: http.get(f"/api/v2/deployments/{name}").raise_for_status()),
        "list": p95(lambda: http.get("/api/v2/deployments", params={"count": 20}).raise_for_status()),
        "create": p95(create_one, rounds=20),
    }
    for number in range(next(numbers)):
        http.delete(f"/api/v2/deployments/x{present}-{number}").raise_for_status()
    settle(http, present)
    return found


def cost(pid: int) -> tuple[float, float]:
    """Resident memory (bytes) and processor time per second of the control plane and its gateway."""
    processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]

    def used() -> float:
        return sum(sum(each.cpu_times()[:2]) for each in processes)

    before = used()
    time.sleep(WATCHED)
    return sum(each.memory_info().rss for each in processes), (used() - before) / WATCHED


@pytest.mark.timeout(1800)
def bench_many_deployments(record: Callable[..., None], tmp_path: Path) -> None:
    bento = build_bento(tmp_path, SOURCE, name="many")
    home = Home(tmp_path / "home")
    state = embedded.start(home)
    headers = {"X-YATAI-API-TOKEN": state.token}
    found: dict[int, dict[str, float]] = {}
    try:
        with httpx.Client(base_url=state.endpoint, headers=headers, timeout=120, trust_env=False) as http:
            push(http, bento)
            create(http, "d-0")
            settle(http, 1)
            present = 1
            found[1] = measured(http, 1)
            first_memory, first_cpu = cost(state.pid)
            processes = len(psutil.Process(state.pid).children(recursive=True))
            for wanted in (100, MANY):
                for number in range(present, wanted):
                    create(http, f"d-{number}")
                present = wanted
                settle(http, present)
                found[wanted] = measured(http, present)
            memory, cpu = cost(state.pid)
            assert len(psutil.Process(state.pid).children(recursive=True)) == processes, "idle ones cost none"
    finally:
        embedded.stop(home)
    for call in ("create", "list", "get"):
        record(f"api.100.{call}", found[100][call], found[1][call])
        record(f"api.1000.{call}", found[MANY][call], found[1][call])
    record("api.1000", sum(found[MANY].values()), sum(found[1].values()))
    record("idle.deployment", (memory - first_memory) / 1024 / (MANY - 1), 100, "KiB")
    record("idle.deployment.cpu", cpu, max(first_cpu, 0.005), "cores")


def bench_start(record: Callable[..., None], tmp_path: Path) -> None:
    ours, floor, rest, imported = [], [], [], []
    environment = {**os.environ, "BENTO_JUPYTER_HOME": str(tmp_path / "home")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    home = Home(tmp_path / "home")
    for count in range(-1, STARTS):
        begun = time.perf_counter()
        subprocess.run([sys.executable, "-c", FLOOR], env=environment, check=True)
        bare = time.perf_counter() - begun
        begun = time.perf_counter()
        with subprocess.Popen([sys.executable, "-m", "bento_jupyter.cloud"], env=environment) as process:
            while not answers(home):
                time.sleep(0.005)
            took = time.perf_counter() - begun
            processes = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
            memory = sum(each.memory_info().rss for each in processes) / 2**20
            process.terminate()
        look = f"{FLOOR}\nimport psutil\nprint(psutil.Process().memory_info().rss)"
        said = subprocess.run(
            [sys.executable, "-c", look], env=environment, check=True, capture_output=True, text=True
        )
        if count >= 0:  # the first one migrates an empty database
            ours.append(took)
            floor.append(bare)
            rest.append(memory)
            imported.append(int(said.stdout) / 2**20)
    record("start", statistics.median(ours), statistics.median(floor))
    record("rest.memory", statistics.median(rest), statistics.median(imported), "MiB")


def answers(home: Home) -> bool:
    state = home.read_state()
    if state is None:
        return False
    try:
        headers = {"X-YATAI-API-TOKEN": state.token}
        return httpx.get(f"{state.endpoint}/api/bj/v1/cloud", headers=headers, trust_env=False).is_success
    except httpx.HTTPError:
        return False
