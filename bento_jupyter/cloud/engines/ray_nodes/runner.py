"""Runs one instance on a node: fetches what it needs, starts it, watches it, and lets the gateway in.

Started by the `supervisor.Supervisor`, whose end (a pipe that it holds) is the end of this program and of all
that it has started. Everything else it hears from the control plane, which it dials.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, Any

from ....errors import ReplicaStartError
from ....launcher import ReplicaProcess, describe_exit, launch_replica
from ..memory import bound_memory, out_of_memory, own_memory, usage_by_group
from ..private_files import write_files
from .store import MissingPythonError, NodeStore, adopt_environment, environment_key, tree_key
from .wire import BEAT, LET_IN, LINE_LIMIT, dialling, fits, listening, receive, send, splice

__all__ = ["main"]

#: Seconds without the control plane after which an instance ends: its own machine may be gone for good.
PATIENCE = 300.0
#: Seconds without a word of the control plane after which it is dialled anew.
SILENCE = 10.0
#: Seconds that an instance that has ended waits for the control plane to take note.
FAREWELL = 60.0
#: Seconds that answers may take to get out of the door when the instance has ended.
LAST_WORDS = 1.0
#: Seconds that who knocks may take to show a token.
KNOCK_TIMEOUT = 10.0
#: How the folders of instances begin, and the file in them that is locked while their runner lives.
SCRATCH, ALIVE = "bento-jupyter-runner-", "alive"
#: Bytes of the log on this node, beyond which what was sent is deleted here.
LARGEST_LOG = 8 * 2**20
#: Bytes of the log that are sent at once.
LOG_PIECE = 2**18


class Runner:
    """One instance.

    Args:
        settings: `name`, `token`, `control` (where to dial), `certificate` (that it shows there), `node`,
            `host` (of this node), `gpus`.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        self._name, self._token = str(settings["name"]), str(settings["token"])
        self._control = (str(settings["control"][0]), int(settings["control"][1]))
        self._tls = dialling(settings["certificate"])
        self._host = str(settings["host"])
        self._scratch = Path(tempfile.mkdtemp(prefix=SCRATCH))
        self._alive = os.open(self._scratch / ALIVE, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._alive, fcntl.LOCK_EX)
        self._log = self._scratch / "log"
        self._log.touch(mode=0o600)
        self._sent = 0
        self._store = NodeStore.default()
        self._order: dict[str, Any] = {}
        self._process: ReplicaProcess | None = None
        self._kill_reason = ""
        self._cpu_seconds: tuple[float, float] | None = None
        self._visits: set[asyncio.Task[None]] = set()
        self._ended = asyncio.Event()
        self._over = asyncio.Event()
        self._work: asyncio.Task[None] | None = None
        self._door: asyncio.Server | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._heard = time.monotonic()
        self._state: dict[str, Any] = {
            "node": settings["node"],
            "gpus": settings["gpus"],
            "host": self._host,
            "door": 0,
            "pid": None,
            "phases": {},
            "ready": False,
            "error": "",
            "traceback": "",
            "ended": None,
            "memory": None,
            "cpu": None,
        }

    async def run(self) -> None:
        """Run it to its end."""
        loop = asyncio.get_running_loop()
        loop.add_reader(0, self._lifeline)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._abandon)
        tasks = [asyncio.create_task(each) for each in (self._keep_linked(), self._watch())]
        await self._over.wait()
        if self._visits:
            await asyncio.wait(self._visits, timeout=LAST_WORDS)
        self._tell()
        if self._writer is not None:
            with contextlib.suppress(OSError):
                await asyncio.wait_for(self._writer.drain(), 1)
            self._writer.close()
        for task in tasks:
            task.cancel()
        self._clean()

    # The control plane

    async def _keep_linked(self) -> None:
        while True:
            with contextlib.suppress(OSError):
                reader, writer = await self._dial("replica")
                self._writer, self._heard = writer, time.monotonic()
                self._tell()
                while (message := await receive(reader)) is not None:
                    self._heard = time.monotonic()
                    self._take(message)
                self._writer = None
                writer.close()
            if time.monotonic() - self._heard > (FAREWELL if self._ended.is_set() else PATIENCE):
                self._abandon()
            await asyncio.sleep(BEAT)

    async def _dial(self, role: str, **more: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.wait_for(
            asyncio.open_connection(*self._control, limit=LINE_LIMIT, ssl=self._tls), timeout=SILENCE
        )
        send(writer, {"role": role, "name": self._name, "token": self._token, **more})
        return reader, writer

    def _take(self, message: dict[str, Any]) -> None:
        kind = message["op"]
        if kind == "run" and self._work is None:
            self._order = message
            self._work = asyncio.create_task(self._start())
        elif kind == "stop":
            asyncio.create_task(self._stop(float(message["grace"])))  # noqa: RUF006 - `run` outlives it

    def _tell(self) -> None:
        """Say how it is; what it has written comes first, so that a reason never comes before its log."""
        if self._writer is None:
            return
        self._send_log(self._writer)
        send(self._writer, {"op": "state", **self._state})

    def _send_log(self, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError), self._log.open("rb") as file:
            file.seek(self._sent)
            while writer.transport.get_write_buffer_size() < LARGEST_LOG and (piece := file.read(LOG_PIECE)):
                self._sent += len(piece)
                send(writer, {"op": "log", "text": base64.b64encode(piece).decode()})
            if self._sent > LARGEST_LOG:
                os.truncate(self._log, 0)
                self._sent = 0

    async def _watch(self) -> None:
        looks = 0
        while True:
            await asyncio.sleep(BEAT)
            looks += 1
            if looks % 2 == 0 and self._process is not None and not self._ended.is_set():
                self._measure(self._process)
            self._tell()
            if self._writer is not None and time.monotonic() - self._heard > SILENCE:
                self._writer.transport.abort()

    # The instance

    async def _start(self) -> None:
        began = time.monotonic()
        try:
            python, bento = await asyncio.to_thread(self._fetch)
            self._state["phases"]["environment"] = round(time.monotonic() - began, 6)
            await self._open_door()
            process = await self._launch(python, bento)
        except (OSError, MissingPythonError, ReplicaStartError) as error:
            self._finished(f"it could not start on node {socket.gethostname()}: {error}")
            return
        bound_memory(process.pid, int(self._order["memory"]))
        self._process = process
        self._state["pid"] = process.pid
        loop = asyncio.get_running_loop()
        loop.add_reader(process.report_fd, self._read_report, process, process.report_fd)
        threading.Thread(target=self._wait, args=[process, loop], daemon=True).start()
        await asyncio.to_thread(self._tidy)

    def _tidy(self) -> None:
        """Delete what nobody needs: old copies, and folders of runners that were killed."""
        self._store.tidy()
        for file in self._scratch.parent.glob(f"{SCRATCH}*/{ALIVE}"):
            with contextlib.suppress(OSError), file.open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # whoever has it lives, maybe in a container
                shutil.rmtree(file.parent, ignore_errors=True)

    async def _open_door(self) -> None:
        credentials = None
        if self._order["credentials"]:
            credentials = self._scratch / "credentials.pem"
            write_files(self._scratch, {credentials.name: self._order["credentials"].encode()})
        self._door = door = await asyncio.start_server(
            self._knock, self._host, 0, limit=LINE_LIMIT, ssl=listening(credentials)
        )
        self._state["door"] = door.sockets[0].getsockname()[1]

    def _fetch(self) -> tuple[Path, Path]:
        """The interpreter of its environment, and its Bento: from this disk, or sent here."""
        order = self._order
        origin, there = Path(order["origin"]), Path(order["folder"])
        shared = not os.environ.get("BENTO_JUPYTER_NODE_COPY")

        def finish(folder: Path) -> None:
            adopt_environment(folder, order["python"], order["origin"])

        if (
            shared
            and (origin / "bin" / "python").exists()
            and environment_key(origin) == order["environment"]
        ):
            environment = origin
        else:
            environment = self._store.get(
                f"environment-{order['environment']}", lambda: self._open_archive("environment"), finish
            )
        if shared and there.is_dir() and tree_key(there) == order["bento"]:
            bento = there
        else:
            bento = self._store.get(
                f"bento-{order['bento']}", lambda: self._open_archive("bento"), lambda _folder: None
            )
        return environment / "bin" / "python", bento

    def _open_archive(self, what: str) -> IO[bytes]:
        connection = socket.create_connection(self._control, timeout=60)
        if self._tls is not None:
            connection = self._tls.wrap_socket(connection)
        with connection:
            hello = {"role": "fetch", "name": self._name, "token": self._token, "what": what}
            connection.sendall(json.dumps(hello).encode() + b"\n")
            return connection.makefile("rb")

    async def _launch(self, python: Path, bento: Path) -> ReplicaProcess:
        order = self._order
        write_files(
            self._scratch / "run" / "bentoml",
            {name: base64.b64decode(content) for name, content in order["files"].items()},
        )
        remotes = {}
        for number, service in enumerate(order["remotes"]):
            path = self._scratch / f"{number}.sock"

            async def relay(
                reader: asyncio.StreamReader, writer: asyncio.StreamWriter, service: str = service
            ) -> None:
                try:
                    there = await self._dial("tunnel", service=service)
                except (OSError, asyncio.TimeoutError):
                    writer.close()
                    return
                await splice((reader, writer), there)

            await asyncio.start_unix_server(relay, path=str(path))
            remotes[service] = path
        return launch_replica(
            python,
            bento,
            self._scratch / "replica.sock",
            service=order["service"],
            envs=order["envs"],
            log=self._log,
            scratch=self._scratch / "run",
            cpus=order["cpu"],
            remotes=remotes,
        )

    def _read_report(self, process: ReplicaProcess, descriptor: int) -> None:
        over = process.feed()
        self._state["phases"] |= process.phases
        if over:
            asyncio.get_running_loop().remove_reader(descriptor)
            self._state |= {"ready": process.ready, "error": process.error, "traceback": process.traceback}
        self._tell()

    def _wait(self, process: ReplicaProcess, loop: asyncio.AbstractEventLoop) -> None:
        code = process.process.wait()
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(self._note_end, process, code)

    def _note_end(self, process: ReplicaProcess, code: int) -> None:
        if process.report_fd >= 0:
            self._read_report(process, process.report_fd)
        process.kill()
        self._finished(self._kill_reason or describe_exit(code))

    def _finished(self, reason: str) -> None:
        if not self._ended.is_set():
            self._state["ended"] = reason
            self._ended.set()
            self._heard = time.monotonic()
            self._close_door()
            self._tell()

    async def _stop(self, grace: float) -> None:
        if self._work is not None and not self._work.done() and self._process is None:
            self._work.cancel()
        if self._process is None:
            self._finished("it was stopped before it was started")
        elif not self._ended.is_set():
            if grace > 0:
                with contextlib.suppress(ProcessLookupError):
                    self._process.process.terminate()
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._ended.wait(), grace)
            self._kill(self._process)
            await self._ended.wait()
        self._over.set()

    def _kill(self, process: ReplicaProcess) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)

    def _measure(self, process: ReplicaProcess) -> None:
        usage = usage_by_group({process.pid}).get(process.pid)
        if usage is None:
            return
        now, limit = time.monotonic(), int(self._order["memory"])
        self._state["memory"] = usage.memory_bytes
        if self._cpu_seconds is not None:
            then, seconds = self._cpu_seconds
            self._state["cpu"] = max(0.0, usage.cpu_seconds - seconds) / max(now - then, 0.001)
        self._cpu_seconds = (now, usage.cpu_seconds)
        if usage.memory_bytes > limit and (used := own_memory(process.pid)) > limit:
            self._kill_reason = out_of_memory(used, limit, str(self._order["instance_type"]))
            self._kill(process)

    # Who comes in

    async def _knock(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Somebody is at the door: only who shows the instance's token is let in to it."""
        visit = asyncio.current_task()
        assert visit is not None
        self._visits.add(visit)
        visit.add_done_callback(self._visits.discard)
        try:
            line = await asyncio.wait_for(reader.readuntil(b"\n"), KNOCK_TIMEOUT)
            if fits(line.decode("latin-1").strip(), self._token) and self._process is not None:
                there = await asyncio.open_unix_connection(str(self._process.socket_path))
                writer.write(LET_IN)
                await splice((reader, writer), there)
        except (OSError, ValueError, asyncio.TimeoutError, EOFError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    def _close_door(self) -> None:
        """Refuse whoever comes: before the instance ends, so that what falls with it does not come back."""
        if self._door is not None:
            self._door.close()

    # Its end

    def _lifeline(self) -> None:
        if not os.read(0, 64):
            self._abandon()

    def _abandon(self) -> None:
        """End everything at once."""
        self._over.set()
        self._close_door()
        if self._process is not None:
            self._kill(self._process)
        self._clean()
        os._exit(1)

    def _clean(self) -> None:
        if self._process is not None:
            self._process.kill()
        shutil.rmtree(self._scratch, ignore_errors=True)


def main() -> None:
    """Leave the one who has started this, read the settings from it, and run."""
    if os.fork():
        os._exit(0)
    os.setsid()
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(0, 1)
        if not piece:
            return
        line += piece
    asyncio.run(Runner(json.loads(line)).run())


if __name__ == "__main__":
    main()
