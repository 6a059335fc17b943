"""Serves a built Bento for the corpus: not as its proof did, and without the notebook's folder.

The interpreter is that of the test run, isolated, so bento_jupyter is not importable there; the models come
from the store, as with `bentoml serve`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bento_jupyter.launcher import launch_replica, log_tail

__all__ = ["serving"]

START_TIMEOUT = 60.0


@contextmanager
def serving(bento: Path, store: Path, *, plain: bool = False) -> Iterator[str]:
    """The URL at which a Bento is served meanwhile.

    Args:
        bento: Its folder in the store.
        store: The store, a `BENTOML_HOME`.
        plain: Serve it with `bentoml serve`, which takes some seconds more.
    """
    work = Path(tempfile.mkdtemp(prefix="corpus-"))
    try:
        with (_bentoml_serve if plain else _replica)(bento, store, work) as url:
            yield url
    finally:
        shutil.rmtree(work, ignore_errors=True)


@contextmanager
def _replica(bento: Path, store: Path, work: Path) -> Iterator[str]:
    replica = launch_replica(
        Path(sys.executable), None, work / "s", envs={"BENTOML_HOME": str(store)},
        log=work / "log", scratch=work / "scratch",
    )  # fmt: skip
    with replica:
        replica.order(bento)
        replica.wait_ready(START_TIMEOUT)
        with _on_tcp(work / "s") as port:
            yield f"http://127.0.0.1:{port}"


@contextmanager
def _on_tcp(path: Path) -> Iterator[int]:
    """A TCP port that leads to a Unix socket."""
    listener = socket.create_server(("127.0.0.1", 0))

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(65536):
                sink.sendall(chunk)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                caller, _ = listener.accept()
                served = socket.socket(socket.AF_UNIX)
                served.connect(str(path))
                for ends in ((caller, served), (served, caller)):
                    threading.Thread(target=pump, args=ends, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@contextmanager
def _bentoml_serve(bento: Path, store: Path, work: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG", "TMPDIR") if key in os.environ}
    envs = {**kept, "BENTOML_HOME": str(store), "BENTOML_DO_NOT_TRACK": "True"}
    command = [sys.executable, "-I", "-m", "bentoml", "serve", str(bento), "--port", str(port)]
    with (work / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=work, env=envs, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + START_TIMEOUT
        while not _is_ready(url):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"bentoml serve does not answer: {log_tail(work / 'log', 8)}")
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=2) as response:
            return bool(response.status == 200)
    except (OSError, urllib.error.URLError):
        return False
