"""Requests on a real Bento behind the gateway: steady load, a new version, more instances."""

from __future__ import annotations

import hashlib
import math
import os
import socket
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import httpx
import psutil
import pytest
from bench_gateway import nginx, nginx_program
from built_bento import build_bento
from conftest import ROOT
from loads import SAMPLES, Load, press, quantile
from serving import FLOWER, BenchedCloud, ask, build_iris, serve

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
SECONDS = 3
#: Seconds after the step.
WATCHED = 8
#: Requests in turn to one and to the other.
BLOCK = 100
#: Requests that a replica's memory is watched over.
MANY = int(os.environ.get("BENCH_REQUESTS", "5000"))

SLOW = """
import time, bentoml

@bentoml.service(name="slow")
class Slow:
    @bentoml.api
    def rest(self) -> str:
        time.sleep(0.05)
        return "rested"
"""

Record = Callable[..., None]


@pytest.mark.timeout(1800)
def bench_replica(record: Record, tmp_path: Path) -> None:
    """At 8 connections: the inverse of the rate (aim 1/1.4), p99 (aim 1/5); and the gateway's part of it."""
    build_iris(tmp_path, "v1")
    with BenchedCloud(tmp_path) as cloud:
        cloud.bentoml("push", "iris:v1")
        url = cloud.deploy("iris", "iris:v1", "iris") + "/predict"
        loads: dict[str, list[Load]] = {"ours": [], "theirs": []}
        with serve(cloud, "iris:v1", "/predict", FLOWER) as served:
            for count in range(-1, ROUNDS):
                for who, target in (("ours", url), ("theirs", f"{served.url}/predict")):
                    load = press(target, tmp_path, connections=8, seconds=SECONDS, body=FLOWER)
                    assert load.failed == 0
                    if count >= 0:
                        loads[who].append(load)
        for name, what in (("time", "each"), ("p50", "p50"), ("p99", "p99")):
            ours, theirs = (
                statistics.median(getattr(load, what) for load in each) for each in loads.values()
            )
            record(f"replica.c8.{name}", ours, theirs)
        [instance] = cloud.view("iris").instances
        digest = hashlib.sha256(instance.id.encode()).hexdigest()[:16]
        own = cloud.home.sockets / f"{digest}.sock"
        with ExitStack() as stack:
            ways: list[str | Path] = [url, own]
            if nginx_program():
                ways.append(stack.enter_context(nginx(tmp_path / "nginx", own))[1])
            through, direct, *beside = in_turn(ways, rounds=2 * ROUNDS)
        record("gateway.bento", through, direct)
        for other in beside:  # what any process in between costs on this machine
            record("gateway.bento.nginx", through, other)
        assert instance.pid
        process = psutil.Process(instance.pid)
        before, asked = process.memory_info().rss, 0
        while asked < MANY:
            asked += press(url, tmp_path, connections=8, seconds=SECONDS, body=FLOWER).requests
        record("replica.growth", process.memory_info().rss / 2**20, before / 2**20, "MiB")


def in_turn(ways: Sequence[str | Path], rounds: int) -> list[float]:
    """p50 of requests by each of these ways (URL, or Unix socket), in blocks of each."""
    request = (
        f"POST /predict HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(FLOWER)}\r\n\r\n{FLOWER}"
    ).encode()
    found: list[list[float]] = [[] for _ in ways]
    with ExitStack() as stack:
        sockets = [stack.enter_context(connected(way)) for way in ways]
        for count in range(-1, rounds):
            for each, took in zip(sockets, found, strict=True):
                for _ in range(BLOCK):
                    begun = time.perf_counter()
                    each.sendall(request)
                    data = b""
                    while b"\r\n\r\n" not in data or not data.endswith(b"]"):
                        data += each.recv(65536)
                    if count >= 0:
                        took.append(time.perf_counter() - begun)
                    assert data.startswith(b"HTTP/1.1 200")
    return [quantile(took, 0.5) for took in found]


def connected(way: str | Path) -> socket.socket:
    """A connection to a URL, or to a Unix socket."""
    if isinstance(way, Path):
        made = socket.socket(socket.AF_UNIX)
        made.connect(str(way))
    else:
        made = socket.create_connection(("127.0.0.1", httpx.URL(way).port))
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


@pytest.mark.timeout(1800)
def bench_update(record: Record, tmp_path: Path) -> None:
    """From the order of an update until the new version answers; nothing may fail meanwhile."""
    versions = [f"v{number}" for number in range(SAMPLES // 2 + 2)]
    build_iris(tmp_path, *versions)
    ours, theirs = [], []
    with BenchedCloud(tmp_path) as cloud, httpx.Client(timeout=60, trust_env=False) as client:
        for version in versions:
            cloud.bentoml("push", f"iris:{version}")
        url = cloud.deploy("iris", "iris:v0", "iris") + "/version"
        with serve(cloud, "iris:v0", "/version", "{}"):
            pass
        for version in versions[1:]:
            begun = time.perf_counter()
            body = {"bento": f"iris:{version}", "services": {"iris": {}}}
            cloud.http.put("/api/v2/deployments/iris", json=body).raise_for_status()
            while ask(client, url, "{}").raise_for_status().text != version:
                assert time.perf_counter() - begun < 120, "the new version does not come"
                time.sleep(0.005)
            ours.append(time.perf_counter() - begun)
            cloud.settled("iris")
            with serve(cloud, f"iris:{version}", "/version", "{}") as served:
                theirs.append(served.seconds)
    # The first update may find no zygote yet.
    record("update.live.first", ours[0], theirs[0])
    record("update.live", statistics.median(ours[1:]), statistics.median(theirs[1:]))


@pytest.mark.timeout(1800)
def bench_step(record: Record, tmp_path: Path) -> None:
    """One caller becomes four, each instance does one request at a time: when is the p50 as before?"""
    build_bento(tmp_path, SLOW, service="service.py:Slow", name="slow")
    taken: list[tuple[float, float]] = []
    over = threading.Event()
    with BenchedCloud(tmp_path) as cloud:
        cloud.bentoml("push", "slow:v1")
        url = cloud.deploy("slow", "slow:v1", "slow", min=1, max=4, concurrency=1) + "/rest"

        def call() -> None:
            with httpx.Client(timeout=60, trust_env=False) as client:
                while not over.is_set():
                    begun = time.perf_counter()
                    ask(client, url, "{}").raise_for_status()
                    taken.append((time.perf_counter(), time.perf_counter() - begun))

        callers = [threading.Thread(target=call) for _ in range(4)]
        callers[0].start()
        time.sleep(4)
        alone = quantile((seconds for _, seconds in taken[5:]), 0.5)
        step = time.perf_counter()
        for caller in callers[1:]:
            caller.start()
        time.sleep(WATCHED)
        over.set()
        for caller in callers:
            caller.join()
    points = [(at - step, seconds) for at, seconds in taken]
    draw(ROOT / "build" / "step_1_to_4.svg", points)
    windows = (each / 10 for each in range(int(WATCHED * 10) - 5))
    back = next((at for at in windows if quantile(within(points, at), 0.5) < 1.3 * alone), None)
    assert back is not None, "the p50 does not come back"
    record("step_1_to_4", back, alone)


def within(points: list[tuple[float, float]], begin: float) -> list[float]:
    """What those took that were answered in the half second from `begin` on."""
    return [seconds for at, seconds in points if begin <= at < begin + 0.5] or [math.inf]


def draw(file: Path, points: list[tuple[float, float]]) -> None:
    """A chart: milliseconds of each request by the second in which it was answered."""
    first, last = points[0][0], points[-1][0]
    most = max(seconds for _, seconds in points)

    def across(at: float) -> float:
        return 30 + (at - first) / (last - first) * 760

    dots = (
        f'<circle cx="{across(at):.1f}" cy="{280 - seconds / most * 260:.1f}" r="2"/>'
        for at, seconds in points
    )
    file.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="800" height="300" font-size="11">'
        f'<path d="M{across(0):.1f} 10V280" stroke="#c00"/>{"".join(dots)}'
        f'<text x="4" y="14">{most * 1000:.0f} ms</text>'
        f'<text x="{across(0) + 4:.0f}" y="296">1 → 4 callers</text>'
        f'<text x="740" y="296">{last:.1f} s</text></svg>\n',
        encoding="utf-8",
    )
