"""A BentoML that the replica program does not know is served by `bentoml serve`, behind its socket."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from built_bento import build_bento

from bento_jupyter import launcher
from bento_jupyter.errors import ReplicaStartError
from bento_jupyter.launcher import REPLICA_PROGRAM, ReplicaProcess, launch_replica

SOURCE = """
import bentoml

@bentoml.service
class Service:
    @bentoml.api
    def greet(self, name: str) -> str:
        return f"hello {name}"

    @bentoml.task
    def later(self, number: int) -> int:
        return number + 1
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The replica program of a time that knew only an earlier BentoML."""
    for name in ("replica.py", "stock.py"):
        shutil.copy(REPLICA_PROGRAM.with_name(name), tmp_path / name)
    text = (tmp_path / "replica.py").read_text()
    assert 'KNOWN_VERSIONS = ("1.4.",)' in text
    (tmp_path / "replica.py").write_text(text.replace('("1.4.",)', '("1.3.",)'))
    monkeypatch.setattr(launcher, "REPLICA_PROGRAM", tmp_path / "replica.py")
    return tmp_path / "replica.py"


@pytest.fixture(scope="module")
def bento(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_bento(tmp_path_factory.mktemp("bento"), SOURCE)


def launch(bento: Path, folder: Path, **envs: str) -> ReplicaProcess:
    return launch_replica(
        Path(sys.executable),
        bento,
        folder / "r.sock",
        log=folder / "log",
        scratch=folder / "scratch",
        envs=envs,
    )


@pytest.fixture
def serving(
    program: Path, bento: Path, tmp_path: Path
) -> Iterator[tuple[ReplicaProcess, list[psutil.Process]]]:
    replica = launch(bento, tmp_path)
    try:
        phases = replica.wait_ready(90)
        assert list(phases) == ["process", "imports", "load", "ready"]
        family = psutil.Process(replica.pid).children(recursive=True)
        assert any("serve" in each.cmdline() for each in family)
        yield replica, family
    finally:
        replica.stop(15)
    _, alive = psutil.wait_procs(family, timeout=15)
    assert alive == []


def test_it_answers_as_any_replica(
    serving: tuple[ReplicaProcess, list[psutil.Process]], tmp_path: Path
) -> None:
    transport = httpx.HTTPTransport(uds=str(tmp_path / "r.sock"))
    with httpx.Client(transport=transport, base_url="http://replica", timeout=30) as client:
        for name in ("a", "b" * 500_000):
            assert client.post("/greet", json={"name": name}).text == f"hello {name}"
        assert client.post("/later/submit", json={"number": 1}).json()["status"] == "in_progress"
        assert client.get("/metrics").status_code == 200


def test_nothing_of_it_outlives_a_kill(serving: tuple[ReplicaProcess, list[psutil.Process]]) -> None:
    replica, family = serving
    os.killpg(replica.pid, signal.SIGKILL)
    _, alive = psutil.wait_procs(family, timeout=15)
    assert alive == []


def test_services_apart_are_refused(program: Path, bento: Path, tmp_path: Path) -> None:
    replica = launch_replica(
        Path(sys.executable),
        bento,
        tmp_path / "r.sock",
        log=tmp_path / "log",
        scratch=tmp_path / "scratch",
        remotes={"Other": tmp_path / "other.sock"},
    )
    with replica, pytest.raises(ReplicaStartError, match="all services of a Bento in one instance"):
        replica.wait_ready(60)
