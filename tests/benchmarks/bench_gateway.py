"""The gateway alone, in front of a server that does nothing: against nginx with one worker, same socket."""

from __future__ import annotations

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from loads import Load, press
from realcloud import free_port

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
SECONDS = 2

#: Always the same answer, at the least cost that there is in Python.
UPSTREAM = """
import asyncio, sys, uvloop
ANSWER = b"HTTP/1.1 200 OK\\r\\nContent-Type: text/plain\\r\\nContent-Length: 5\\r\\n\\r\\nhello"

class Hello(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
    def data_received(self, data):
        if data.endswith(b"\\r\\n\\r\\n"):
            self.transport.write(ANSWER)

async def serve():
    server = await asyncio.get_running_loop().create_unix_server(Hello, sys.argv[1], backlog=2048)
    await server.serve_forever()

uvloop.run(serve())
"""

#: What it adds to a request is what the gateway adds.
NGINX = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1; {user}
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  keepalive_requests 100000000;
  upstream hello {{ server unix:{upstream}; keepalive 128; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://hello; proxy_http_version 1.1; proxy_buffering off; proxy_set_header Connection "";
      proxy_set_header Host $http_host; proxy_set_header X-Request-Id $request_id;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;
      add_header X-Request-Id $request_id;
    }}
  }}
}}
"""


def nginx_program() -> str | None:
    return shutil.which("nginx") or ("/usr/sbin/nginx" if Path("/usr/sbin/nginx").exists() else None)


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "not there"
        time.sleep(0.02)


def connects(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def process(*command: str, pass_fds: tuple[int, ...] = ()) -> Iterator[int]:
    with subprocess.Popen(command, pass_fds=pass_fds) as started:
        try:
            yield started.pid
        finally:
            started.terminate()
            started.wait(20)


@contextmanager
def nginx(folder: Path, upstream: Path) -> Iterator[tuple[int, str]]:
    program = nginx_program()
    assert program
    folder.mkdir()
    port = free_port()
    user = "user root;" if os.getuid() == 0 else ""
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, upstream=upstream, port=port, user=user))
    with process(program, "-c", str(folder / "nginx.conf"), "-p", str(folder)) as pid:
        wait_for(lambda: connects(port))
        yield pid, f"http://127.0.0.1:{port}/"


@contextmanager
def gateway(upstream: Path) -> Iterator[tuple[int, str]]:
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-m", "bento_jupyter.cloud.gateway", "--control", str(theirs.fileno())]
    with ours, process(*command, pass_fds=(theirs.fileno(),)) as pid:
        theirs.close()
        replicas = [{"id": "r", "socket": str(upstream)}]
        for message in ({"op": "route", "port": 0, "hosts": []}, {"op": "replicas", "replicas": replicas}):
            ours.sendall(json.dumps({"deployment": "hello", **message}).encode() + b"\n")
        heard = json.loads(ours.makefile("rb").readline())
        assert heard["op"] == "listening"
        drain = subprocess.Popen(["cat"], stdin=ours.fileno(), stdout=subprocess.DEVNULL)
        try:
            yield pid, f"http://127.0.0.1:{heard['port']}/"
        finally:
            drain.kill()
            drain.wait()


@pytest.mark.skipif(nginx_program() is None, reason="needs nginx")
def bench_hello(record: Callable[..., None], tmp_path: Path) -> None:
    """Seconds per request (the inverse of the rate: aim 1/0.8) and processor time per request (aim 1.3)."""
    upstream = tmp_path / "hello.sock"
    with process(sys.executable, "-c", UPSTREAM, str(upstream)):
        wait_for(upstream.exists)
        with nginx(tmp_path / "nginx", upstream) as theirs, gateway(upstream) as ours:
            for connections in (1, 8, 32):
                found: dict[int, list[Load]] = {0: [], 1: []}
                for _ in range(ROUNDS):
                    for who, (pid, url) in enumerate((ours, theirs)):
                        load = press(url, tmp_path, connections=connections, seconds=SECONDS, pid=pid)
                        assert load.failed == 0
                        found[who].append(load)
                for what in ("each", "cpu", "p50", "p99"):
                    our, their = (
                        statistics.median(getattr(load, what) for load in found[who]) * 1e6 for who in (0, 1)
                    )
                    name = {"each": "time", "cpu": "cpu"}.get(what, what)
                    record(f"gateway.hello.c{connections}.{name}", our, their, "us")
