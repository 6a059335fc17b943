"""The replica program, by its launcher: what it reports, serves and survives."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from built_bento import build_bento

from bento_jupyter.errors import ReplicaStartError
from bento_jupyter.launcher import ReplicaProcess, launch_replica
from bento_jupyter.replica import JoinedWrites, with_joined_writes

SOURCE = """
import os, subprocess, time
import bentoml

@bentoml.service
class Helper:
    @bentoml.api
    def double(self, number: int) -> int:
        return 2 * number

@bentoml.service(
    workers=4,
    traffic={"timeout": 1, "max_concurrency": 4},
    envs=[{"name": "GREETING", "value": "hello"}, {"name": "TOPIC", "value": "bentos"}],
)
class Service:
    helper = bentoml.depends(Helper)

    def __init__(self):
        self.greeting = os.environ["GREETING"]
        if os.environ.get("BREAK"):
            raise RuntimeError("broken on purpose")

    @bentoml.api
    def greet(self, name: str) -> str:
        return f"{self.greeting} {name} about {os.environ['TOPIC']}"

    @bentoml.api
    def double(self, number: int) -> int:
        return self.helper.double(number)

    @bentoml.api
    def sleep(self, seconds: float) -> float:
        time.sleep(seconds)
        return seconds

    @bentoml.api
    def environment(self) -> dict:
        return dict(os.environ)

    @bentoml.api
    def spawn(self) -> int:
        return subprocess.Popen(["sleep", "60"]).pid

    @bentoml.task
    def later(self, number: int) -> int:
        return number + 1
"""


@pytest.fixture(scope="module")
def bento(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_bento(tmp_path_factory.mktemp("bento"), SOURCE)


@contextlib.contextmanager
def running(bento: Path, folder: Path, **options: object) -> Iterator[ReplicaProcess]:
    replica = launch_replica(
        Path(sys.executable),
        bento,
        folder / "r.sock",
        log=folder / "replica.log",
        scratch=folder / "scratch",
        **options,
    )
    try:
        yield replica
    finally:
        replica.stop()


def client_of(replica: ReplicaProcess) -> httpx.Client:
    transport = httpx.HTTPTransport(uds=str(replica.socket_path))
    return httpx.Client(transport=transport, base_url="http://replica", timeout=30)


@pytest.fixture(scope="module")
def replica(bento: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReplicaProcess]:
    with running(bento, tmp_path_factory.mktemp("r"), envs={"TOPIC": "tests"}, cpus=0.5) as replica:
        # Sent before it is ready: the request waits in the backlog of the socket.
        with client_of(replica) as client:
            assert client.post("/greet", json={"name": "early"}).text == "hello early about tests"
        replica.wait_ready(60)
        yield replica


@pytest.fixture
def client(replica: ReplicaProcess) -> Iterator[httpx.Client]:
    with client_of(replica) as client:
        yield client


def wait_until(condition: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_it_reports_its_phases_in_order_and_their_seconds(replica: ReplicaProcess) -> None:
    assert list(replica.phases) == ["process", "imports", "load", "ready"]
    assert all(seconds > 0 for seconds in replica.phases.values())


def test_values_of_the_deployment_win_over_those_of_the_bento(client: httpx.Client) -> None:
    assert client.post("/greet", json={"name": "you"}).text == "hello you about tests"


def test_services_it_depends_on_run_in_the_same_process(client: httpx.Client) -> None:
    assert client.post("/double", json={"number": 21}).text == "42"


def test_a_request_may_take_longer_than_the_bentos_timeout(client: httpx.Client) -> None:
    # The gateway enforces it.
    assert client.post("/sleep", json={"seconds": 1.3}).status_code == 200


def test_limits_are_not_divided_by_the_bentos_workers(replica: ReplicaProcess) -> None:
    answers = []

    def call() -> None:
        with client_of(replica) as client:
            answers.append(client.post("/sleep", json={"seconds": 0.3}).status_code)

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 4


def test_metrics_and_tasks_work(client: httpx.Client) -> None:
    task = client.post("/later/submit", json={"number": 1}).json()["task_id"]
    wait_until(lambda: client.get("/later/status", params={"task_id": task}).json()["status"] == "completed")
    assert client.get("/later/get", params={"task_id": task}).text == "2"
    assert re.search(
        r'requests?_total\{endpoint="/later/get".*service_name="tested"', client.get("/metrics").text
    )


def test_its_environment_is_a_clean_one(client: httpx.Client) -> None:
    envs = client.post("/environment", json={}).json()
    assert not {"PYTHONPATH", "PYTEST_CURRENT_TEST", "BENTO_JUPYTER_HOME"} & set(envs)
    assert envs["OMP_NUM_THREADS"] == "1"
    assert envs["PATH"].startswith(str(Path(sys.executable).parent))


def test_its_log_bears_the_name_of_the_service(replica: ReplicaProcess) -> None:
    assert "[entry_service:Service:1]" in replica.log.read_text()


def test_head_and_body_are_written_as_one_piece_and_parts_of_streams_at_once(tmp_path: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n"
    went_on = threading.Event()

    class Answering(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, JoinedWrites)
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            if data == b"part":
                self.transport.write(b"4\r\npart\r\n")
                assert went_on.wait(60), "it waits for the loop"
                return
            self.transport.write(head)
            if data != b"none":
                self.transport.write(data)
            if data == b"last":
                self.transport.close()

    def ask() -> list[bytes]:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            answers = []
            for word in [*[b"body"] * 300, b"part", b"none", b"last"]:
                client.sendall(word)
                answers.append(client.recv(100))
                if word == b"part":
                    went_on.set()
            return [*answers, client.recv(100)]

    async def talk() -> list[bytes]:
        loop = asyncio.get_running_loop()
        server = await loop.create_unix_server(with_joined_writes(Answering), path)
        async with server:
            return await asyncio.to_thread(ask)

    path = str(tmp_path / "one.sock")
    stream = b"4\r\npart\r\n"
    assert asyncio.run(talk()) == [*[head + b"body"] * 300, stream, head, head + b"last", b""]


def test_another_service_of_the_bento_can_be_served(bento: Path, tmp_path: Path) -> None:
    with running(bento, tmp_path, service="Helper") as replica, client_of(replica) as client:
        replica.wait_ready(60)
        assert client.post("/double", json={"number": 2}).text == "4"


def test_a_service_that_raises_is_reported_with_its_traceback(bento: Path, tmp_path: Path) -> None:
    with running(bento, tmp_path, envs={"BREAK": "1"}) as replica:
        with pytest.raises(ReplicaStartError, match="RuntimeError: broken on purpose") as caught:
            replica.wait_ready(60)
        assert 'raise RuntimeError("broken on purpose")' in caught.value.traceback
        assert replica.process.wait(10) == 3
    assert not replica.socket_path.exists()
    assert not (tmp_path / "scratch").exists()


def test_a_folder_that_is_no_bento_is_reported(tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    with running(tmp_path / "nothing", tmp_path) as replica:
        with pytest.raises(ReplicaStartError, match="the Bento did not start"):
            replica.wait_ready(60)
        assert list(replica.phases) == ["process", "imports"]


def test_a_process_that_is_killed_while_starting_is_noticed(bento: Path, tmp_path: Path) -> None:
    with running(bento, tmp_path) as replica:
        os.kill(replica.pid, signal.SIGKILL)
        with pytest.raises(ReplicaStartError, match="SIGKILL"):
            replica.wait_ready(60)


def test_waiting_for_it_ends_in_time(bento: Path, tmp_path: Path) -> None:
    with running(bento, tmp_path) as replica:
        os.kill(replica.pid, signal.SIGSTOP)
        with pytest.raises(ReplicaStartError, match=r"not ready after 0\.2 s"):
            replica.wait_ready(0.2)
        os.kill(replica.pid, signal.SIGKILL)


def test_sigterm_lets_it_finish_and_all_it_started_ends(bento: Path, tmp_path: Path) -> None:
    answers: list[int] = []
    with running(bento, tmp_path) as replica:
        replica.wait_ready(60)
        with client_of(replica) as client:
            child = psutil.Process(int(client.post("/spawn", json={}).text))

        def call() -> None:
            with client_of(replica) as client:
                answers.append(client.post("/sleep", json={"seconds": 0.7}).status_code)

        thread = threading.Thread(target=call)
        thread.start()
        with client_of(replica) as client:
            wait_until(
                lambda: re.search(r'in_progress\{endpoint="/sleep".* 1\.0', client.get("/metrics").text)
            )
        assert replica.stop() == 0
        thread.join()
    assert answers == [200]
    wait_until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


SUPERVISOR = """
import sys, threading, time
from pathlib import Path
from bento_jupyter.launcher import launch_replica
folder = Path(sys.argv[2])
def start():
    global replica
    replica = launch_replica(Path(sys.executable), Path(sys.argv[1]), folder / "r.sock",
                             log=folder / "replica.log", scratch=folder / "scratch")
thread = threading.Thread(target=start)
thread.start()
thread.join()  # the thread that started it is over: that must not end the replica
replica.wait_ready(60)
print(replica.pid, flush=True)
time.sleep(60)
"""


def test_it_ends_when_its_supervisor_is_killed(bento: Path, tmp_path: Path) -> None:
    supervisor = subprocess.Popen(
        [sys.executable, "-c", SUPERVISOR, str(bento), str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    with supervisor, contextlib.closing(supervisor.stdout):  # type: ignore[arg-type]
        replica = psutil.Process(int(supervisor.stdout.readline()))  # type: ignore[union-attr]
        assert replica.is_running()
        supervisor.kill()
        wait_until(lambda: not replica.is_running())
