"""Zygotes: replicas that are forked from a warm process serve, end and are told of as others are."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import sysconfig
import time
import venv
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from built_bento import build_bento

from bento_jupyter.errors import ReplicaStartError
from bento_jupyter.launcher import ReplicaProcess, launch_replica, zygote_envs
from bento_jupyter.zygote import FORKSERVER_PROGRAM, Zygote, can_fork

pytestmark = pytest.mark.skipif(not can_fork(), reason="zygotes need Linux")

SOURCE = """
import os, random, subprocess, sys, threading, time
import bentoml
import numpy as np

@bentoml.service(traffic={"timeout": 5})
class Service:
    def __init__(self):
        if os.environ.get("BREAK"):
            raise RuntimeError("broken on purpose")

    @bentoml.api
    def about(self) -> dict:
        return {"pid": os.getpid(), "group": os.getpgrp(), "folder": os.getcwd(), "envs": dict(os.environ),
                "numpy": float(np.random.rand()), "python": random.random()}

    @bentoml.api
    def product(self, n: int) -> float:
        matrix = np.ones((n, n))
        return float((matrix @ matrix).sum())

    @bentoml.api
    def spawn(self) -> int:
        return subprocess.Popen(["sleep", "60"]).pid

    @bentoml.api
    def sleep(self, seconds: float) -> float:
        time.sleep(seconds)
        return seconds
"""

#: What a zygote prepares is private to BentoML: it must work with the version at hand, and change nothing.
PREPARED = f"""
import importlib.util
from bentoml._internal.configuration import containers
spec = importlib.util.spec_from_file_location("forkserver", {str(FORKSERVER_PROGRAM)!r})
forkserver = importlib.util.module_from_spec(spec)
spec.loader.exec_module(forkserver)
before = containers.get_default_config(2)
forkserver.keep_default_config()
print("same" if containers.get_default_config(2) == before else "other")
containers.get_default_config(2)["services"].clear()
print("own" if containers.get_default_config(2) == before else "shared")
forkserver.rehearse()
print("rehearsed")
"""


@pytest.fixture(scope="module")
def bento(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_bento(tmp_path_factory.mktemp("bento"), SOURCE)


@contextlib.contextmanager
def forked(bento: Path, folder: Path, zygote: Zygote | None, **options: object) -> Iterator[ReplicaProcess]:
    folder.mkdir(exist_ok=True)
    replica = launch_replica(
        Path(sys.executable),
        bento,
        folder / "s",
        log=folder / "log",
        scratch=folder / "scratch",
        zygote=zygote,
        **options,
    )
    try:
        yield replica
    finally:
        replica.kill()


def warm_zygote(folder: Path, modules: list[str]) -> Zygote:
    imports = folder / "imports.json"
    imports.write_text(json.dumps(modules))
    python = Path(sys.executable)
    return Zygote(python, imports, zygote_envs(python, folder / "z", {}), folder / "zygote.log", folder)


@pytest.fixture(scope="module")
def record(bento: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("record")
    with forked(bento, folder, None, record=folder / "modules.json") as replica:
        replica.wait_ready(60)
    return list(json.loads((folder / "modules.json").read_text()))


@pytest.fixture(scope="module")
def zygote(record: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    zygote = warm_zygote(tmp_path_factory.mktemp("zygote"), record)
    assert zygote.wait_warm(60)
    yield zygote
    zygote.close()


def about(replica: ReplicaProcess, call: str = "about", **arguments: object) -> httpx.Response:
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(replica.socket_path)), timeout=30) as client:
        return client.post(f"http://replica/{call}", json=arguments)


def gone(pid: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    return True


def wait_until(condition: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_was_imported_is_recorded_without_the_bentos_own_code(record: list[str]) -> None:
    assert {"numpy", "bentoml", "uvicorn"} <= set(record)
    assert "service" not in record


def test_a_forked_replica_is_a_process_of_its_own(bento: Path, zygote: Zygote, tmp_path: Path) -> None:
    with forked(bento, tmp_path / "a", zygote, envs={"TOPIC": "forks"}, cpus=1) as replica:
        phases = replica.wait_ready(30)
        told = about(replica).json()
        assert list(phases) == ["process", "imports", "load", "ready"]
        assert told["pid"] == told["group"] == replica.pid
        assert psutil.Process(replica.pid).ppid() == zygote.pid
        assert told["folder"] == str(bento / "src")
        assert told["envs"]["TOPIC"] == "forks"
        assert told["envs"]["BENTOML_HOME"] == str(tmp_path / "a" / "scratch" / "bentoml")
        assert told["envs"]["OMP_NUM_THREADS"] == "1"
        wait_until(lambda: "/about" in (tmp_path / "a" / "log").read_text())
    assert gone(replica.pid)
    assert not (tmp_path / "a" / "scratch").exists()


def test_a_zygote_has_done_what_each_fork_would_do_alike(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", PREPARED],
        env={**os.environ, "BENTOML_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.stdout.splitlines() == ["same", "own", "rehearsed"], told.stderr


def test_forks_draw_their_own_random_numbers(bento: Path, zygote: Zygote, tmp_path: Path) -> None:
    drawn = []
    for name in ("a", "b"):
        with forked(bento, tmp_path / name, zygote) as replica:
            drawn.append(about(replica).json())
    assert drawn[0]["numpy"] != drawn[1]["numpy"]
    assert drawn[0]["python"] != drawn[1]["python"]


def test_blas_works_after_the_fork_with_as_many_threads_as_the_instance_has(
    bento: Path, zygote: Zygote, tmp_path: Path
) -> None:
    for cpus in (1, 2):
        with forked(bento, tmp_path / str(cpus), zygote, cpus=cpus) as replica:
            assert about(replica, "product", n=400).json() == 400.0**3


def test_a_softly_stopped_one_ends_with_zero_after_its_requests(
    bento: Path, zygote: Zygote, tmp_path: Path
) -> None:
    with forked(bento, tmp_path / "a", zygote) as replica:
        replica.wait_ready(30)
        assert replica.stop() == 0


def test_a_failed_start_tells_why(bento: Path, zygote: Zygote, tmp_path: Path) -> None:
    with (
        forked(bento, tmp_path / "a", zygote, envs={"BREAK": "1"}) as replica,
        pytest.raises(ReplicaStartError, match="broken on purpose"),
    ):
        replica.wait_ready(30)
    assert "Traceback" in replica.traceback
    assert zygote.is_warm


def test_the_signal_that_ended_it_is_known(bento: Path, zygote: Zygote, tmp_path: Path) -> None:
    with forked(bento, tmp_path / "a", zygote) as replica:
        replica.wait_ready(30)
        os.kill(replica.pid, signal.SIGABRT)
        assert replica.process.wait(timeout=10) == -signal.SIGABRT


def test_what_it_started_ends_with_it(bento: Path, zygote: Zygote, tmp_path: Path) -> None:
    with forked(bento, tmp_path / "a", zygote) as replica:
        child = about(replica, "spawn").json()
    wait_until(lambda: gone(child))


def test_replicas_outlive_a_killed_zygote(bento: Path, record: list[str], tmp_path: Path) -> None:
    zygote = warm_zygote(tmp_path, record)
    assert zygote.wait_warm(60)
    with forked(bento, tmp_path / "a", zygote) as replica:
        replica.wait_ready(30)
        os.kill(zygote.pid, signal.SIGKILL)
        wait_until(lambda: zygote.is_over)
        assert about(replica).status_code == 200
        with forked(bento, tmp_path / "b", zygote) as other:  # a new interpreter instead
            other.wait_ready(60)
        os.kill(replica.pid, signal.SIGTERM)
        replica.process.wait(timeout=10)
    assert gone(replica.pid)


def test_nothing_is_left_when_the_supervisor_dies(bento: Path, record: list[str], tmp_path: Path) -> None:
    read, write = os.pipe()
    supervisor = os.fork()
    if supervisor == 0:  # pragma: no cover - another process
        with contextlib.suppress(BaseException):
            zygote = warm_zygote(tmp_path, record)
            zygote.wait_warm(60)
            with forked(bento, tmp_path / "a", zygote) as replica:
                replica.wait_ready(30)
                os.write(write, f"{zygote.pid} {replica.pid}\n".encode())
                time.sleep(60)
        os._exit(1)
    os.close(write)
    pids = [int(word) for word in os.read(read, 100).split()]
    os.kill(supervisor, signal.SIGKILL)
    os.waitpid(supervisor, 0)
    os.close(read)
    assert len(pids) == 2
    for pid in pids:
        wait_until(lambda pid=pid: gone(pid))  # type: ignore[misc]


def test_imports_that_start_threads_are_not_forked(bento: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "env", symlinks=True)
    (site,) = (tmp_path / "env").glob("lib/python3*/site-packages")
    start = "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()"
    (site / "all.pth").write_text(f"{sysconfig.get_path('purelib')}\nimport threading, time; {start}\n")
    imports = tmp_path / "imports.json"
    imports.write_text("[]")
    python = tmp_path / "env" / "bin" / "python"
    zygote = Zygote(python, imports, zygote_envs(python, tmp_path / "z", {}), tmp_path / "log", tmp_path)
    try:
        assert not zygote.wait_warm(60)
        assert zygote.threads > 1
        with forked(bento, tmp_path / "a", zygote) as replica:
            replica.wait_ready(60)
            assert psutil.Process(replica.pid).ppid() == os.getpid()
    finally:
        zygote.close()
