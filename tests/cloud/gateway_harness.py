"""A real gateway process, a control plane's end of its channel, and replicas on Unix sockets."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
import uvicorn

DEADLINE = 20.0
ROOT = str(Path(__file__).parents[2])

_names = itertools.count(1)


async def until(condition: Callable[[], Any], what: str = "") -> Any:
    """Wait until a condition holds; what it gave."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + DEADLINE
    while not (outcome := condition()):
        assert loop.time() < deadline, f"did not happen: {what or condition}"
        await asyncio.sleep(0.005)
    return outcome


class Gateway:
    """A gateway process, and the channel to it."""

    def __init__(self, process: subprocess.Popen[bytes], control: socket.socket) -> None:
        self.process = process
        self.control = control
        self.messages: list[dict[str, Any]] = []

    async def listen(self) -> None:
        reader, self.writer = await asyncio.open_unix_connection(sock=self.control)
        async for line in reader:
            self.messages.append(json.loads(line))

    def send(self, **message: Any) -> None:
        self.writer.write(json.dumps(message).encode() + b"\n")

    async def deploy(self, **policy: Any) -> Deployment:
        """A route with a listener."""
        deployment = Deployment(self, f"d{next(_names)}", policy)
        deployment.update()
        message = await deployment.hears("listening")
        deployment.port = message["port"]
        return deployment

    @property
    def memory(self) -> int:
        return psutil.Process(self.process.pid).memory_info().rss


class Deployment:
    """One route of a gateway."""

    def __init__(self, gateway: Gateway, name: str, policy: dict[str, Any]) -> None:
        self.gateway = gateway
        self.name = name
        self.policy: dict[str, Any] = {
            "port": 0, "concurrency": None, "queue": 1000, "timeout": 30, "cold_start_timeout": 30,
            "protected": False, "tokens": [], "closed": None, **policy,
        }  # fmt: skip
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def update(self, **policy: Any) -> None:
        self.policy |= policy
        self.gateway.send(op="route", deployment=self.name, **self.policy)

    def replicas(self, *replicas: Any) -> None:
        named = [{"id": replica.id, "socket": str(replica.path)} for replica in replicas]
        self.gateway.send(op="replicas", deployment=self.name, replicas=named)

    def heard(self, op: str, **values: Any) -> list[dict[str, Any]]:
        """The messages of this kind that came."""
        wanted = {"op": op, "deployment": self.name, **values}
        return [m for m in self.gateway.messages if wanted.items() <= m.items()]

    async def hears(self, op: str, **values: Any) -> dict[str, Any]:
        """Wait for a message of this kind."""
        return (await until(lambda: self.heard(op, **values), f"{op} {values}"))[0]

    async def load(self, **values: Any) -> dict[str, Any]:
        """Wait until the newest `load` (of the set "main", unless one is given) has these values."""

        def newest() -> dict[str, Any] | None:
            messages = self.heard("load", set=values.get("set", "main"))
            return messages[-1] if messages and values.items() <= messages[-1].items() else None

        return await until(newest, f"load {values}")

    @contextlib.asynccontextmanager
    async def client(self, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
        async with httpx.AsyncClient(
            base_url=self.url, trust_env=False, timeout=DEADLINE, limits=limits, **options
        ) as client:
            yield client

    async def raw(self, sent: bytes) -> bytes:
        """Send bytes, and read until the gateway closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(sent)
        try:
            return await asyncio.wait_for(reader.read(), DEADLINE)
        finally:
            writer.close()


@contextlib.asynccontextmanager
async def running_gateway(tasks: Path | None = None) -> AsyncIterator[Gateway]:
    """Start a gateway process that keeps tasks in this file; end it by closing the channel."""
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(  # noqa: ASYNC220
        [
            *(sys.executable, "-m", "bento_jupyter.cloud.gateway", "--control", str(theirs.fileno())),
            *(("--tasks", str(tasks)) if tasks else ()),
        ],
        pass_fds=[theirs.fileno()],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([ROOT, os.environ.get("PYTHONPATH", "")])},
    )
    theirs.close()
    gateway = Gateway(process, ours)
    listening = asyncio.create_task(gateway.listen())
    try:
        await until(lambda: hasattr(gateway, "writer"))
        yield gateway
    finally:
        gateway.writer.close()
        listening.cancel()
        try:
            await asyncio.to_thread(process.wait, DEADLINE)
        finally:
            process.kill()


class Replica:
    """Something that listens on a Unix socket.

    Attributes:
        id: Its id.
        path: Of its socket.
        connections: How many were accepted.
    """

    def __init__(self, folder: Path) -> None:
        self.id = f"r{next(_names)}"
        self.path = folder / f"{self.id}.sock"
        self.connections = 0


@contextlib.asynccontextmanager
async def asgi_replica(app: Any) -> AsyncIterator[Replica]:
    """A replica that is an ASGI app on uvicorn, as real ones are."""
    with tempfile.TemporaryDirectory() as folder:
        replica = Replica(Path(folder))
        config = uvicorn.Config(app, uds=str(replica.path), log_level="warning", ws="wsproto", lifespan="off")
        server = uvicorn.Server(config)
        server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign]
        serving = asyncio.create_task(server.serve())
        await until(lambda: server.started)
        try:
            yield replica
        finally:
            server.should_exit = server.force_exit = True
            await serving


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def raw_replica(handler: Handler) -> AsyncIterator[Replica]:
    """A replica that does on each connection what the test says."""
    with tempfile.TemporaryDirectory() as folder:
        replica = Replica(Path(folder))

        async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            replica.connections += 1
            try:
                await handler(reader, writer)
            except (asyncio.IncompleteReadError, ConnectionError):
                pass
            finally:
                writer.close()

        server = await asyncio.start_unix_server(accepted, str(replica.path))
        replica.server = server  # type: ignore[attr-defined]
        try:
            yield replica
        finally:
            server.close()


async def read_head(reader: asyncio.StreamReader) -> bytes:
    """The head of a request."""
    return await reader.readuntil(b"\r\n\r\n")


def answer(content: bytes = b"ok", fields: bytes = b"") -> bytes:
    """A plain response."""
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%b\r\n%b" % (len(content), fields, content)


async def answer_everything(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer `ok` to every request without a body."""
    while True:
        await read_head(reader)
        writer.write(answer())
