"""The gateway process as the control plane sees it: started, told, listened to, and replaced when it dies.

Protocol: docs/architecture.md, "Control plane <-> gateway".
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..home import Home

__all__ = ["DataPlane"]

logger = logging.getLogger(__name__)

#: Seconds until a gateway that died is started again: nothing at first, longer when it dies at once.
RESTART_DELAY = 1.0
#: A gateway that lived this long was well.
HEALTHY_AFTER = 10.0
#: Longest message of the gateway, in bytes.
LARGEST_MESSAGE = 2**20


class DataPlane:
    """Keeps a gateway process running and in step.

    What was last said about each set of replicas is kept, and said again to a new process.

    Args:
        home: Where its log is.
        host: Address that deployments listen at.
        received: Called on the event loop with each message of the gateway.
        restarted: Called after a new gateway process was told everything: all connections were lost.
        tls: Files of the certificate and its key; None = plain HTTP.
    """

    def __init__(
        self,
        home: Home,
        host: str,
        received: Callable[[dict[str, Any]], None],
        restarted: Callable[[], None],
        tls: tuple[Path, Path] | None = None,
    ) -> None:
        self._home = home
        self._host = host
        self._tls = tls
        self._received = received
        self._restarted = restarted
        #: By deployment and set.
        self._routes: dict[tuple[str, str], dict[str, Any]] = {}
        self._replicas: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._keeper: asyncio.Task[None] | None = None
        self.pid: int | None = None

    async def open(self) -> None:
        """Start the gateway process; returns when messages can be sent."""
        started = asyncio.Event()
        self._keeper = asyncio.create_task(self._keep(started), name="gateway")
        await started.wait()

    async def close(self) -> None:
        """End the gateway process and wait for its end."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper

    def set_route(self, deployment: str, name: str, route: Mapping[str, Any]) -> None:
        """Create or change the route to a set of replicas; says nothing when it is as it was."""
        message = {"op": "route", "deployment": deployment, "set": name, "host": self._host, **route}
        if self._routes.get((deployment, name)) != message:
            self._routes[deployment, name] = message
            self._send(message)

    def listen_again(self, deployment: str, name: str) -> None:
        """Say a route again, for a port that was taken."""
        if (deployment, name) in self._routes:
            self._send(self._routes[deployment, name])

    def set_replicas(
        self, deployment: str, name: str, replicas: Sequence[tuple[str, Path, Mapping[str, float]]]
    ) -> None:
        """The replicas that may get requests; one that is missing now is drained.

        Args:
            deployment: Their deployment.
            name: Their set.
            replicas: Id, socket, and seconds per phase of the start of each, oldest first.
        """
        listed = [{"id": key, "socket": str(path), "phases": dict(phases)} for key, path, phases in replicas]
        if self._replicas.get((deployment, name), []) != listed:
            self._replicas[deployment, name] = listed
            self._send({"op": "replicas", "deployment": deployment, "set": name, "replicas": listed})

    def remove(self, deployment: str, name: str) -> None:
        """Close a route, with its listener."""
        self._replicas.pop((deployment, name), None)
        if self._routes.pop((deployment, name), None) is not None:
            self._send({"op": "remove", "deployment": deployment, "set": name})

    def _send(self, message: Mapping[str, Any]) -> None:
        if self._writer is not None:
            self._writer.write(json.dumps(message).encode() + b"\n")

    async def _keep(self, started: asyncio.Event) -> None:
        while True:
            begin = time.monotonic()
            try:
                await self._run(started)
                logger.error("the gateway process ended; it is started again")
            except OSError:  # no process, no descriptor, no memory: maybe there is one later
                logger.exception("the gateway process cannot be started")
            if time.monotonic() - begin < HEALTHY_AFTER:
                await asyncio.sleep(RESTART_DELAY)

    async def _run(self, started: asyncio.Event) -> None:
        """One life of the gateway process."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process = self._spawn(theirs)
            except BaseException:
                ours.close()
                raise
        self.pid = process.pid
        reader, self._writer = await asyncio.open_unix_connection(sock=ours, limit=LARGEST_MESSAGE)
        try:
            again = started.is_set()
            for key, route in self._routes.items():
                self._send(route)
                named = {"deployment": key[0], "set": key[1], "replicas": self._replicas.get(key, [])}
                self._send({"op": "replicas", **named})
            started.set()
            if again:
                self._restarted()
            while line := await reader.readline():
                try:
                    self._received(json.loads(line))
                except Exception:
                    logger.exception("a message of the gateway could not be handled: %.200r", line)
        except (OSError, ValueError):
            logger.exception("the gateway cannot be understood")
        finally:
            self._writer.close()  # it ends at the end of its input
            self._writer = None
            self.pid = None
            await asyncio.shield(asyncio.create_task(_end(process)))

    def _spawn(self, control: socket.socket) -> subprocess.Popen[bytes]:
        root = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
        for folder in (self._home.logs, self._home.cloud):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self._home.logs / "gateway.log").open("ab") as log:
            return subprocess.Popen(
                [
                    sys.executable,
                    *("-m", "bento_jupyter.cloud.gateway", "--control", str(control.fileno())),
                    *("--tasks", str(self._home.cloud / "tasks.db")),
                    *(("--tls", *map(str, self._tls)) if self._tls else ()),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONPATH": path},
                start_new_session=True,  # Ctrl-C in a terminal is for the control plane, which then ends it
                pass_fds=(control.fileno(),),
            )


async def _end(process: subprocess.Popen[bytes], grace: float = 5.0) -> None:
    """Wait for the end of a process that was told to end; kill it when that takes too long."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()

    def wait() -> None:
        process.wait()
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=wait, daemon=True, name="gateway-end").start()
    try:
        await asyncio.wait_for(ended.wait(), grace)
    except asyncio.TimeoutError:
        process.kill()
        await ended.wait()
