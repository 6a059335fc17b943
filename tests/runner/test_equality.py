"""What a replica answers is what `bentoml serve` answers: status, headers and body, byte for byte.

Both serve the same Bento, and both are asked the same.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import pytest
from built_bento import build_bento
from examples import KINDS, MOUNTED
from realcloud import free_port

from bento_jupyter.launcher import launch_replica

DEADLINE = 60.0
#: Headers that differ from one answer to the next: times, ids of requests and temporary files, a set's order.
PASSING = {"date", "x-bentoml-request-id", "etag", "allow"}
PORT = re.compile(r"//127\.0\.0\.1:\d+")
#: Ids of tasks.
TASK = re.compile(rb"[0-9a-f]{32}")
CSV = ("numbers.csv", b"a,b\n1,2\n", "text/csv")


@dataclass
class Both:
    """Clients of the reference and of the replica."""

    reference: httpx.Client
    replica: httpx.Client

    def ask(self, method: str, path: str, **how: Any) -> tuple[httpx.Response, httpx.Response]:
        """The answers of both."""
        return self.reference.request(method, path, **how), self.replica.request(method, path, **how)


@contextlib.contextmanager
def reference(bento: Path, folder: Path, prefix: str = "") -> Iterator[httpx.Client]:
    """`bentoml serve`, in a process group of its own."""
    port = free_port()
    (folder / "home").mkdir(parents=True)
    envs = {**os.environ, "BENTOML_HOME": str(folder / "home"), "BENTOML_DO_NOT_TRACK": "True"}
    command = [
        sys.executable,
        "-m",
        "bentoml",
        "serve",
        str(bento),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    with (folder / "serve.log").open("wb") as log:
        process = subprocess.Popen(command, env=envs, stdout=log, stderr=log, start_new_session=True)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=DEADLINE, trust_env=False) as client:
            deadline = time.monotonic() + DEADLINE
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if client.get(f"{prefix}/readyz").status_code == 200:
                        break
                assert process.poll() is None, (folder / "serve.log").read_text()
                assert time.monotonic() < deadline, (folder / "serve.log").read_text()
                time.sleep(0.05)
            yield client
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextlib.contextmanager
def replica(bento: Path, folder: Path, helpers: Sequence[str] = ()) -> Iterator[httpx.Client]:
    """Our own runner; other services of the Bento run in replicas of their own, as in the cloud."""
    folder.mkdir()
    with contextlib.ExitStack() as stack:
        remotes: dict[str, Path] = {}
        for number, service in enumerate([*helpers, ""]):
            at = folder / f"{number}.sock"
            process = launch_replica(
                Path(sys.executable),
                bento,
                at,
                service=service,
                log=folder / f"{number}.log",
                scratch=folder / f"scratch-{number}",
                remotes=remotes,
            )
            stack.enter_context(process).wait_ready(DEADLINE)
            remotes = {**remotes, service: at}
        transport = httpx.HTTPTransport(uds=str(at))
        # The name that the reference is called by: it may be in an answer.
        with httpx.Client(transport=transport, base_url="http://127.0.0.1", timeout=DEADLINE) as client:
            client.headers["X-Pid"] = str(process.pid)
            yield client


@contextlib.contextmanager
def both_of(bento: Path, folder: Path, prefix: str = "", helpers: Sequence[str] = ()) -> Iterator[Both]:
    with (
        reference(bento, folder / "reference", prefix) as first,
        replica(bento, folder / "replica", helpers) as second,
    ):
        second.headers = first.headers
        yield Both(first, second)


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("x")
    bento = build_bento(folder, KINDS, service="service.py:Examples", name="examples")
    with both_of(bento, folder, helpers=["Doubler"]) as both:
        yield both


@pytest.fixture(scope="module")
def mounted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    folder = tmp_path_factory.mktemp("m")
    bento = build_bento(folder, MOUNTED, service="service.py:Mounted", name="mounted")
    with both_of(bento, folder, "/prefix") as both:
        yield both


def shown(answer: httpx.Response) -> tuple[int, list[tuple[str, str]], bytes]:
    """What has to be equal of an answer."""
    headers = [
        (name, "" if name in PASSING else PORT.sub("//127.0.0.1", value))
        for name, value in answer.headers.multi_items()
    ]
    return answer.status_code, sorted(headers), TASK.sub(b"", answer.content)


def post(path: str, body: object = None, **how: Any) -> tuple[str, str, dict[str, Any]]:
    return "POST", path, ({"json": body, **how} if "content" not in how and "files" not in how else how)


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


JSON = {"Content-Type": "application/json"}
BINARY = "application/octet-stream"
ASKED = {
    "defaults": post("/greet", {}),
    "values": post("/greet", {"name": "W\u00f6rld \u2603", "times": 3}),
    "out of bounds": post("/greet", {"times": 9}),
    "wrong type": post("/greet", {"times": "many"}),
    "unknown field": post("/greet", {"nome": "x"}),
    "null for text": post("/greet", {"name": None}),
    "no body": post("/greet", content=b""),
    "not json": post("/greet", content=b"{", headers=JSON),
    "array for object": post("/greet", [1, 2]),
    "other media type": post("/greet", content=b"x", headers={"Content-Type": "text/plain"}),
    "form": ("POST", "/greet", {"data": {"name": "form"}}),
    "no answer": post("/nothing", {}),
    "all defaults but one": post("/everything", {"number": 1}),
    "everything": post(
        "/everything",
        {"number": 1.5, "flag": True, "words": ["a"], "when": "2026-02-28", "either": "x", "choice": "b",
         "pair": [2, "two"]},
    ),
    "not a number": post("/everything", content=b'{"number": NaN}', headers=JSON),
    "bad choice": post("/everything", {"number": 1, "choice": "c"}),
    "model": post(
        "/order", {"order": {"name": "ann", "points": [{"x": 1}], "colour": "green", "due": "2026-01-02"}}
    ),
    "invalid model": post("/order", {"order": {"name": "ann1", "points": [{"y": 1}]}}),
    "whole body": post("/whole", {"name": "ann", "points": [{"x": 1, "y": 2}]}),
    "input spec": post("/spread", {"name": "ann", "extra": {"a": [1, {"b": None}]}}),
    "route": post("/v2/by-route", {"text": "abc"}),
    "route by name": post("/routed", {"text": "abc"}),
    "array": post("/array", {"array": [[1, 2], [3, 4]]}),
    "array of wrong shape": post("/array", {"array": [1, 2]}),
    "array of strings": post("/array", {"array": [["a"], ["b"]]}),
    "total": post("/total", {"array": [[1, 2.5]]}),
    "array file": ("POST", "/total", {"files": {"array": ("a.npy", npy(np.arange(3.0)), BINARY)}}),
    "frame": post("/frame", {"frame": [{"a": 1, "b": 2}, {"a": 3, "b": 4}]}),
    "frame without column": post("/frame", {"frame": [{"a": 1}]}),
    "file": ("POST", "/size", {"files": {"file": CSV}}),
    "no file": post("/size", {}),
    "typed file": ("POST", "/typed_file", {"files": {"file": CSV}, "data": {"note": "n"}}),
    "file of other type": ("POST", "/typed_file", {"files": {"file": ("x.png", b"\x89PNG", "image/png")}}),
    "file answer": post("/make_file", {"name": "out.txt"}),
    "part of a file": post("/make_file", {"name": "out.txt"}, headers={"Range": "bytes=2-9"}),
    "bytes": ("POST", "/raw", {"files": {"data": ("x.bin", bytes(range(256)), BINARY)}}),
    "bytes as json": post("/raw", {"data": "abc"}),
    "stream": post("/stream", {"count": 50}),
    "empty stream": post("/stream", {"count": 0}),
    "events": post("/events", {"count": 5}),
    "short stream": post("/broken_stream", {}),
    "dependency": post("/doubled", {"number": 21}),
    "failing dependency": post("/doubled_fails", {"text": "good"}),
    **{
        f"error {how}": post("/fail", {"how": how})
        for how in ("invalid", "missing", "busy", "odd", "value", "crash")
    },
    "unknown error": post("/fail", {"how": "nothing"}),
    "context": post("/context?q=1%202", {}, headers={"X-Asked": "this"}),
    "head": ("HEAD", "/greet", {}),
    "get of a post": ("GET", "/greet", {}),
    "unknown path": post("/nowhere", {}),
    "slash": post("/greet/", {}),
    "preflight": (
        "OPTIONS", "/greet",
        {"headers": {"Origin": "http://here.example", "Access-Control-Request-Method": "POST"}},
    ),
    "preflight of a stranger": (
        "OPTIONS", "/greet",
        {"headers": {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}},
    ),
    "cross origin": post("/greet", {}, headers={"Origin": "http://here.example"}),
    "livez": ("GET", "/livez", {}),
    "healthz": ("GET", "/healthz", {}),
    "readyz": ("GET", "/readyz", {}),
    "schema": ("GET", "/schema.json", {}),
    "openapi": ("GET", "/docs.json", {}),
    "index": ("GET", "/", {}),
    "missing asset": ("GET", "/static_content/nothing.js", {}),
    "task that is unknown": ("GET", "/later/status?task_id=0123", {}),
    "task without id": ("GET", "/later/get", {}),
    "task wrongly asked": post("/later/submit", {"number": "x"}),
}  # fmt: skip


@pytest.mark.parametrize("kind", ASKED)
def test_answers_are_equal(examples: Both, kind: str) -> None:
    method, path, how = ASKED[kind]
    expected, found = examples.ask(method, path, **how)
    assert shown(found) == shown(expected)


ASKED_OF_MOUNTED = {
    "api": post("/prefix/echo", {"text": "x"}),
    "api without prefix": post("/echo", {"text": "x"}),
    "mounted": ("PUT", "/prefix/web/hello/me?a=1&a=2", {}),
    "mounted root": ("GET", "/prefix/web/", {}),
    "mounted without prefix": ("GET", "/web/hello/me", {}),
    "mounted nothing": ("GET", "/prefix/web/nothing", {}),
    "mounted method": ("DELETE", "/prefix/web/hello/me", {}),
    "readyz": ("GET", "/readyz", {}),
    "prefixed readyz": ("GET", "/prefix/readyz", {}),
    "openapi": ("GET", "/prefix/docs.json", {}),
}


@pytest.mark.parametrize("kind", ASKED_OF_MOUNTED)
def test_answers_of_what_is_mounted_are_equal(mounted: Both, kind: str) -> None:
    method, path, how = ASKED_OF_MOUNTED[kind]
    expected, found = mounted.ask(method, path, **how)
    assert shown(found) == shown(expected)


def test_tasks_have_the_same_life(examples: Both) -> None:
    def life(client: httpx.Client, number: int) -> list[tuple[int, Any]]:
        submitted = client.post("/later/submit", json={"number": number})
        task = submitted.json()["task_id"]
        deadline = time.monotonic() + DEADLINE
        while (status := client.get("/later/status", params={"task_id": task})).json()[
            "status"
        ] == "in_progress":
            assert time.monotonic() < deadline
            time.sleep(0.02)
        got = client.get("/later/get", params={"task_id": task})
        again = client.post("/later/retry", params={"task_id": task})
        answers = [submitted, status, got, again]
        return [(each.status_code, without_what_passes(each.text, task)) for each in answers]

    for number in (1, -1):
        assert life(examples.replica, number) == life(examples.reference, number)


def without_what_passes(text: str, task: str) -> str:
    """An answer about a task without its id and times."""
    text = re.sub(r'"[a-z_]+_at":\s*"[^"]+"', '"at"', text.replace(task, "ID"))
    return re.sub(r'("task_id":\s*")[0-9a-f]+"', r'\1ID"', text)


def test_metrics_have_the_same_names_and_labels(examples: Both) -> None:
    def names(client: httpx.Client) -> set[str]:
        client.post("/greet", json={})
        lines = client.get("/metrics").raise_for_status().text.splitlines()
        return {line.rpartition(" ")[0] for line in lines if "greet" in line}

    examples.ask(*ASKED["defaults"][:2], **ASKED["defaults"][2])
    expected, found = names(examples.reference), names(examples.replica)
    assert any("examples_asked_total" in line for line in expected)
    assert any("request_duration_seconds" in line for line in expected)
    assert found == expected


def test_memory_stays_flat_over_many_requests(tmp_path: Path) -> None:
    """`TimeoutMiddleware` of BentoML keeps each request for `traffic.timeout` seconds; a replica must not."""
    bento = build_bento(tmp_path, KINDS, service="service.py:Examples", name="examples")
    with replica(bento, tmp_path / "replica") as client:

        def memory() -> int:
            return int(psutil.Process(int(client.headers["X-Pid"])).memory_info().rss)

        def ask(times: int) -> None:
            for _ in range(times):
                assert json.loads(client.post("/everything", json={"number": 1}).content)["number"] == 1

        ask(300)
        before = memory()
        ask(1500)
        assert memory() - before < 1500 * 1024, "less than 1 KiB per request; BentoML's own keeps 5"
