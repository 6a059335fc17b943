"""What comes to the engine `ray` from elsewhere, as it should not be: answers, options, archives, tokens."""

from __future__ import annotations

import asyncio
import fcntl
import io
import json
import os
import tarfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from bento_jupyter.cloud.engine_choice import engine_told
from bento_jupyter.cloud.engines.ray_dashboard import Dashboard
from bento_jupyter.cloud.engines.ray_nodes.store import KEPT, NodeStore
from bento_jupyter.cloud.engines.ray_package import send_archive
from bento_jupyter.errors import CloudError, InvalidRequestError
from bento_jupyter.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    found = Home(tmp_path / "home")
    found.create()
    return found


@pytest.fixture
def answering() -> Iterator[dict[str, Any]]:
    """A server that answers `body` to everything, at `url`."""
    about: dict[str, Any] = {"body": b""}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(about["body"])))
            self.end_headers()
            self.wfile.write(about["body"])

        def log_message(self, *_: object) -> None:
            """Nothing is said of what works."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield about | {"url": f"http://127.0.0.1:{server.server_address[1]}", "about": about}
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"data": null}',
        b'{"data": {"result": {"result": null}}}',
        b'{"data": {"result": {"result": [{"state": "ALIVE"}]}}}',
    ],
)
def test_answers_that_no_dashboard_gives_are_told(answering: dict[str, Any], body: bytes) -> None:
    answering["about"]["body"] = body
    dashboard = Dashboard(answering["url"])
    with pytest.raises(CloudError, match="is not understood") as caught:
        dashboard.nodes()
    assert caught.value.hint
    if not body.startswith(b"{"):
        with pytest.raises(CloudError, match="is not understood"):
            dashboard.job_status("job")


@pytest.mark.parametrize("token", ["secret\nword", "sécret", "secret\x00"])
def test_a_token_that_cannot_be_one_is_refused_and_not_shown(token: str) -> None:
    with pytest.raises(InvalidRequestError, match="characters that no token has") as caught:
        Dashboard("http://127.0.0.1:9", token)
    assert token not in str(caught.value)
    assert "secret" not in f"{caught.value}{caught.value.hint}"


def test_what_is_said_about_a_cluster_goes_with_what_was_said_before(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_TOKEN", " new \n")
    with pytest.raises(InvalidRequestError, match="--ray-token is about a Ray cluster"):
        engine_told(home, {"ray_token_env": "RAY_TOKEN"})
    with pytest.raises(InvalidRequestError, match="the engine is containers"):
        engine_told(home, {"engine": "containers", "ray_address": "http://head:8265"})
    known = {"engine": "ray", "ray_address": "http://head:8265", "ray_token": "old"}
    file = home.root / "engine.json"
    file.write_text(json.dumps(known))
    assert engine_told(home, {"ray_token_env": "RAY_TOKEN"}) == {**known, "ray_token": "new"}
    assert engine_told(home, {"ray_tls": True}) == {**known, "ray_tls": True}
    assert engine_told(home, {"engine": "processes"}) == {"engine": "processes"}
    file.write_text("[1]")
    assert engine_told(home, {}) == {}


def received(folder: Path, *, cut: int | None = None) -> io.BytesIO:
    """What a node gets of a folder; `cut` = only so many of its files, then the connection ends."""

    async def sent() -> bytes:
        got = bytearray()
        done = asyncio.Event()

        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            got.extend(await reader.read())
            writer.close()
            done.set()

        server = await asyncio.start_server(take, "127.0.0.1", 0)
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        await send_archive(folder, writer, environment=False)
        writer.close()
        await done.wait()
        server.close()
        return bytes(got)

    whole = asyncio.run(sent())
    if cut is None:
        return io.BytesIO(whole)
    with tarfile.open(fileobj=io.BytesIO(whole)) as archive:
        return io.BytesIO(whole[: archive.getmembers()[cut].offset])


def test_an_archive_that_ends_between_two_files_is_not_taken_for_a_whole_one(tmp_path: Path) -> None:
    folder = tmp_path / "bento"
    folder.mkdir()
    for number in range(5):
        (folder / f"{number}.txt").write_text(str(number))
    store = NodeStore(tmp_path / "store")
    with pytest.raises(OSError, match="it ended too early"):
        store.get("bento-1", lambda: received(folder, cut=3), lambda _: None)
    assert not (tmp_path / "store" / "bento-1").exists()
    kept = store.get("bento-2", lambda: received(folder), lambda _: None)
    assert sorted(each.name for each in kept.iterdir()) == [f"{number}.txt" for number in range(5)]


def test_what_is_old_or_was_left_half_goes_and_what_is_in_use_stays(tmp_path: Path) -> None:
    store = NodeStore(tmp_path)
    for name in ("bento-old", "bento-used", "bento-new", "bento-half.part", "bento-coming.part"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    for name in ("bento-old", "bento-used"):
        os.utime(tmp_path / name, (1, 1))
    assert KEPT > 0
    locks = [
        os.open(tmp_path / f"{name}.lock", os.O_RDWR | os.O_CREAT) for name in ("bento-used", "bento-coming")
    ]
    try:
        for lock in locks:
            fcntl.flock(lock, fcntl.LOCK_SH)
        store.tidy()
    finally:
        for lock in locks:
            os.close(lock)
    left = sorted(each.name for each in tmp_path.iterdir() if each.is_dir())
    assert left == ["bento-coming.part", "bento-new", "bento-used"]
