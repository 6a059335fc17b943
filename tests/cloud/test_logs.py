"""Log files: their ends, together and alone, and how they are kept small."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import httpx
from hypothesis import given
from hypothesis import strategies as st
from running_cloud import RunningCloud

from bento_jupyter.cloud import logs
from bento_jupyter.cloud.app import create_app
from bento_jupyter.cloud.logs import LogFile, cap_log, follow, forget_old_logs, tail
from bento_jupyter.cloud.settings import CloudSettings
from bento_jupyter.home import Home
from bento_jupyter.views import LogLine

texts = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\n\r"), max_size=30)


@given(st.lists(texts, max_size=40), st.integers(1, 50), st.booleans())
def test_the_last_lines_are_the_last_whole_lines(
    tmp_path_factory: object, written: list[str], count: int, half: bool
) -> None:
    path = tmp_path_factory.mktemp("log") / "a.log"  # type: ignore[attr-defined]
    path.write_bytes("".join(f"{line}\n" for line in written).encode() + (b"half" if half else b""))
    found, end = LogFile(path, "a").last(count)
    assert [line.text for line in found] == written[-count:]
    assert end == len("".join(f"{line}\n" for line in written).encode())
    more, place = LogFile(path, "a").after(end)
    assert (more, place) == ([], end)


def test_long_lines_are_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text(f"{'x' * 100_000}\n{'y' * 100_000}\n")
    assert [len(line.text) for line in LogFile(path, "a").last(2)[0]] == [100_000, 100_000]


def test_a_line_without_end_does_not_hold_up_what_follows_it(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"x" * (logs.LONGEST_LINE + 3) + b"\nnext\n")
    part, place = LogFile(path, "a").after(0)
    assert [len(line.text) for line in part] == [logs.LONGEST_LINE]
    assert [line.text for line in LogFile(path, "a").after(place)[0]] == ["xxx", "next"]


@given(st.text("a\u00e9\u20ac\U0001f600", max_size=8), st.integers(0, 12))
def test_a_line_that_comes_in_parts_is_cut_between_characters(text: str, length: int) -> None:
    data = text.encode()
    part = logs.whole_characters(data[:length])
    assert text.startswith(part.decode())
    assert len(data[:length]) - len(part) < 4
    assert part or length < 4 or not data


def test_lines_of_several_logs_are_in_order_of_time(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(
        "2026-01-01T10:00:00+0000 one\nbelongs to one\n2026-01-01T10:00:02Z three\n"
    )
    (tmp_path / "b.log").write_text("2026-01-01T11:00:01+01:00 two\n")
    files = [LogFile(tmp_path / name, name[0]) for name in ("b.log", "a.log", "missing.log")]
    found = tail(files, 10)
    assert [line.text.split()[-1] for line in found] == ["one", "one", "two", "three"]
    assert found[0].at == datetime(2026, 1, 1, 10, tzinfo=timezone.utc)
    assert [line.source for line in found] == ["a", "a", "b", "a"]
    assert [line.text.split()[-1] for line in tail(files, 1)] == ["three"]


def test_a_log_that_was_cut_is_read_on(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("one\ntwo\n")
    _, place = LogFile(path, "a").last(1)
    path.write_text("new\n")
    assert [line.text for line in LogFile(path, "a").after(place)[0]] == ["new"]


def test_a_large_log_keeps_its_end_while_it_is_written(tmp_path: Path, monkeypatch: object) -> None:
    path = tmp_path / "a.log"
    with path.open("ab", buffering=0) as writer:
        line = b"x" * 1023 + b"\n"
        writer.write(line * (logs.LARGEST_LOG // len(line) + 1))
        cap_log(path)
        writer.write(b"and on\n")
    assert path.stat().st_size <= logs.KEPT_OF_LOG + 10
    found, _ = LogFile(path, "a").last(2)
    assert [line.text[:6] for line in found] == ["xxxxxx", "and on"]


def test_only_the_newest_logs_and_those_in_use_are_kept(tmp_path: Path) -> None:
    import os

    for number in range(5):
        path = tmp_path / f"{number}.log"
        path.touch()
        os.utime(path, (number, number))
    forget_old_logs(tmp_path, keep=2, in_use={"0"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.log", "3.log", "4.log"]


def test_the_past_of_a_log_is_read_beside_the_loop(tmp_path: Path) -> None:
    threads: set[int] = set()

    class Watched(LogFile):
        def last(self, lines: int) -> tuple[list[LogLine], int]:
            threads.add(threading.get_ident())
            return super().last(lines)

    path = tmp_path / "a.log"
    path.write_text("one\ntwo\n")

    async def first() -> str:
        lines = follow(lambda: [Watched(path, "a")], 1)
        text = (await anext(lines)).text
        await lines.aclose()
        return text

    assert asyncio.run(first()) == "two"
    assert threads
    assert threading.get_ident() not in threads


def test_a_log_that_does_not_come_holds_up_nobody_else(
    cloud: RunningCloud, pushed_greeter: str, deployment_name: str
) -> None:
    body = {
        "name": deployment_name,
        "bento": pushed_greeter,
        "services": {"Greeter": {"scaling": {"min_replicas": 0}}},
    }
    cloud.http.post("/api/v2/deployments", json=body).raise_for_status()
    cloud.wait_until(deployment_name, "scaled-to-zero")
    folder = cloud.home.logs / "deployments" / deployment_name
    folder.mkdir(parents=True, exist_ok=True)
    pipe = folder / "stuck.log"
    os.mkfifo(pipe)  # reading it waits until somebody writes
    asking = threading.Thread(target=cloud.http.get, args=(f"/api/bj/v1/deployments/{deployment_name}/logs",))
    asking.start()
    try:
        for _ in range(20):
            answer = httpx.get(f"{cloud.endpoint}/docs", timeout=10, trust_env=False)
            assert answer.status_code == 200
        assert asking.is_alive()
    finally:
        pipe.open("wb").close()
        asking.join()
        pipe.unlink()


def test_a_log_is_followed_for_as_long_as_its_reader_is_there(tmp_path: Path) -> None:
    wish = {"type": "websocket.receive", "text": json.dumps({"payload": {"tail_lines": 1}})}
    incoming = [{"type": "websocket.connect"}, wish, {"type": "websocket.disconnect", "code": 1001}]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return incoming.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def leave() -> None:
        app = create_app(CloudSettings(home=Home(tmp_path / "home")))
        async with app.router.lifespan_context(app):
            cloud = app.state.cloud
            cloud.store.bentos.create_repository("quiet")
            cloud.store.bentos.create("quiet", "v1", manifest={})
            cloud.store.deployments.create(
                name="quiet", bento="quiet:v1", config={}, port=21999, creator="tests", dev=True
            )
            cloud.controller.changed("quiet")
            _, token = cloud.store.tokens.create(name="tests")
            scope = {
                "type": "websocket",
                "path": "/ws/v1/clusters/default/tail",
                "query_string": b"pod_name=codespace:quiet",
                "headers": [(b"host", b"127.0.0.1"), (b"x-yatai-api-token", token.encode())],
                "subprotocols": [],
            }
            await asyncio.wait_for(app(scope, receive, send), 20)

    asyncio.run(leave())
    assert sent[0]["type"] == "websocket.accept"
    assert incoming == []
