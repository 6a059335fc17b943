"""The gateway is as strict as nginx, or stricter, with what others could read in another way."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cloud.gateway_harness import DEADLINE, Gateway, raw_replica, running_gateway, until
from cloud.strictness import CASES, NGINX

pytestmark = pytest.mark.anyio

PROGRAM = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
CONFIG = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://unix:{replica}:; proxy_http_version 1.1; proxy_request_buffering off;
        }}
    }}
}}
"""


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def gateway() -> AsyncIterator[Gateway]:
    async with running_gateway() as gateway:
        yield gateway


class Witness:
    """A replica that notes each request as RFC 9112 frames it, and answers it."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = re.search(rb"\r\ncontent-length: *(\d+)", head)
            body = b""
            if b"\r\ntransfer-encoding: chunked" in head:
                while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
                    body += await reader.readexactly(size)
                    await reader.readuntil(b"\r\n")
                await reader.readuntil(b"\r\n")
            elif length:
                body = await reader.readexactly(int(length[1]))
            self.bodies.append(body)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


async def verdict(port: int, request: bytes) -> int:
    """The status of what comes back for a request; 0 = the connection ends without."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    reply = b""
    try:
        while data := await asyncio.wait_for(reader.read(65536), DEADLINE):
            reply += data
            if found := re.match(rb"HTTP/1\.[01] (\d{3})", reply):
                return int(found[1])
            if len(reply) > 12:  # the answer to HTTP/0.9 has no head
                break
    except ConnectionResetError:
        pass
    finally:
        writer.close()
    return 0


@contextlib.asynccontextmanager
async def nginx(folder: Path, replica: Path) -> AsyncIterator[int]:
    """An nginx in front of a replica; its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = folder / "nginx.conf"
    config.write_text(CONFIG.format(folder=folder, port=port, replica=replica))
    assert PROGRAM is not None
    process = subprocess.Popen(  # noqa: ASYNC220
        [PROGRAM, "-c", str(config), "-p", str(folder)], stderr=subprocess.DEVNULL
    )

    def listens() -> bool:
        assert process.poll() is None, (folder / "error.log").read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        await until(listens, "nginx listens")
        yield port
    finally:
        process.terminate()
        process.wait(DEADLINE)


def test_each_case_has_a_verdict_of_nginx() -> None:
    assert NGINX.keys() == CASES.keys()


@pytest.mark.parametrize("case", CASES)
async def test_what_nginx_refuses_is_refused(gateway: Gateway, case: str) -> None:
    witness = Witness()
    deployment = await gateway.deploy()
    async with raw_replica(witness) as replica:
        deployment.replicas(replica)
        status = await verdict(deployment.port, CASES[case])
        if NGINX[case] == 200:
            assert status in (200, 400)
        else:
            assert status in (400, 405, 431, 501, 505)
        assert len(witness.bodies) == (1 if status == 200 else 0)


@pytest.mark.skipif(PROGRAM is None, reason="nginx is not installed")
async def test_nginx_still_says_what_was_noted_and_its_replica_sees_the_same_bodies(
    gateway: Gateway, tmp_path: Path
) -> None:
    theirs, ours, noted = Witness(), Witness(), {}
    deployment = await gateway.deploy()
    async with (
        raw_replica(theirs) as behind_nginx,
        raw_replica(ours) as behind_gateway,
        nginx(tmp_path, behind_nginx.path) as port,
    ):
        deployment.replicas(behind_gateway)
        for case, request in CASES.items():
            noted[case] = await verdict(port, request)
            if await verdict(deployment.port, request) == 200:
                assert ours.bodies[-1:] == theirs.bodies[-1:], case
    assert noted == NGINX
