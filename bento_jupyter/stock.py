"""`bentoml serve` behind a replica's socket: for versions of BentoML whose inner parts are not known.

Beside `replica.py`, and like it of the standard library alone. It is slower to start and larger than a
replica of ours, and does the same: the command line of `bentoml serve` is public.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

__all__ = ["serve_stock"]

#: Seconds between looks at whether it is ready.
INTERVAL = 0.05
CHUNK = 256 * 1024


def serve_stock(bento: str, listener: socket.socket, ready: Callable[[], None]) -> str:
    """Serve a Bento by `bentoml serve` until SIGTERM.

    Args:
        bento: Folder of the Bento.
        listener: Where requests come in.
        ready: Called when it answers requests.

    Returns:
        Why it ended before it was ready; "" = it was told to end.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "bentoml", "serve", bento, "--host", "127.0.0.1", "--port", str(port)]
    guarded = start_guarded(command)
    stopping = False

    def stop(*_: Any) -> None:
        nonlocal stopping
        stopping = True
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    try:
        while not answers(port):
            if guarded.poll() is not None:
                return f"bentoml serve ended with code {guarded.returncode}"
            time.sleep(INTERVAL)
        ready()
        asyncio.run(relay(listener, port, guarded))
    except KeyboardInterrupt:
        pass
    finally:
        assert guarded.stdin is not None
        guarded.stdin.close()  # which ends it, and what it has started
        guarded.wait()
    return "" if stopping else f"bentoml serve ended with code {guarded.returncode}"


def answers(port: int) -> bool:
    """Whether it is ready; a Bento with a path prefix says 404 there."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status in (200, 404)
    except OSError:
        return False
    finally:
        connection.close()


async def relay(listener: socket.socket, port: int, guarded: subprocess.Popen[bytes]) -> None:
    """Hand all connections on, byte for byte, until the program has ended."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                writer.write(data)
                await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(OSError):
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
            with contextlib.closing(inner_writer):
                up = asyncio.ensure_future(pump(reader, inner_writer))
                # An answer that has ended ends the connection, whatever the caller may still send.
                await pump(inner_reader, writer)
                up.cancel()

    async with await asyncio.start_unix_server(connected, sock=listener):
        while guarded.poll() is None:  # noqa: ASYNC110 - nothing on this loop tells of a process's end
            await asyncio.sleep(INTERVAL)


def start_guarded(command: list[str]) -> subprocess.Popen[bytes]:
    """Start a program whose processes end, all of them, with the end of the guard's input.

    `bentoml serve` gives its workers sessions of their own: they would outlive a kill of this group.
    So the guard has a session of its own, too: it sees this process end, however that happens.
    """
    return subprocess.Popen(
        [sys.executable, "-I", __file__, *command], stdin=subprocess.PIPE, start_new_session=True
    )


def guard(command: list[str]) -> int:
    """Run a program, and end all that comes of it when the input ends."""
    if sys.platform == "linux":  # what loses its parent becomes a child of this process
        pr_set_child_subreaper = 36
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(pr_set_child_subreaper, 1, 0, 0, 0)
    program = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    os.set_blocking(0, False)
    while program.poll() is None:
        with contextlib.suppress(BlockingIOError):
            if os.read(0, 64) == b"":
                break
        time.sleep(INTERVAL)
    with contextlib.suppress(ProcessLookupError):
        program.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        program.wait(5)
    end_descendants()
    return program.returncode if program.returncode is not None else 1


def end_descendants() -> None:
    """Kill all processes that come of this one."""
    import psutil  # BentoML needs it, so it is there

    for _ in range(100):
        left = [each for each in psutil.Process().children(recursive=True) if each.status() != "zombie"]
        if not left:
            return
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(left, timeout=0.1)


if __name__ == "__main__":
    sys.exit(guard(sys.argv[1:]))
