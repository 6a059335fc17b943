"""What keeps others out: addresses, TLS, bounds on what comes, and answers to what is no request."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import BaseModel, field_validator
from starlette.requests import Request

from bento_jupyter.client import embedded
from bento_jupyter.client.cloud import Cloud
from bento_jupyter.cloud.api.exchange import LARGEST_AT_ONCE, read
from bento_jupyter.cloud.connection import LARGEST_HEAD
from bento_jupyter.cloud.settings import CloudSettings
from bento_jupyter.errors import CloudError, InvalidRequestError
from bento_jupyter.home import Home


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for `localhost` that signs itself, and its key."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1")
    names = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    usage = ("-addext", "keyUsage=critical,digitalSignature,keyCertSign")  # Python asks for it from 3.13 on
    command = ["openssl", "req", "-x509", *curve, *names, *usage, "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True)
    return cert, key


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


def run_cli(home: Home, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bento_jupyter.cli", "cloud", *words],
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("BENTO")},
            "BENTO_JUPYTER_HOME": str(home.root),
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_another_address_than_loopback_needs_tls_or_the_word_that_it_is_meant(tmp_path):
    for host in ("0.0.0.0", "192.168.1.5", "::", "host.example"):
        with pytest.raises(ValueError, match="--tls-cert FILE"):
            CloudSettings(host=host)
        CloudSettings(host=host, insecure=True)
        CloudSettings(host=host, tls_cert=tmp_path / "cert.pem")
    for host in ("127.0.0.1", "::1", "localhost", "127.0.0.2"):
        CloudSettings(host=host)
    with pytest.raises(ValueError, match="without a certificate"):
        CloudSettings(tls_key=tmp_path / "key.pem")


def test_no_variable_opens_the_cloud_to_others(monkeypatch, tmp_path):
    monkeypatch.setenv("BENTO_JUPYTER_HOST", "0.0.0.0")
    monkeypatch.setenv("BENTO_JUPYTER_INSECURE", "1")
    assert CloudSettings.from_environment(Home(tmp_path)).host == "127.0.0.1"


def test_the_command_refuses_to_listen_for_everybody_and_says_what_to_do(tmp_path):
    done = run_cli(Home(tmp_path / "home"), "start", "--host", "0.0.0.0")
    assert done.returncode == 1
    assert "--insecure" in done.stderr
    assert "pydantic" not in done.stderr


def test_a_certificate_that_cannot_be_used_is_told(tmp_path):
    (tmp_path / "cert.pem").write_text("nothing")
    with pytest.raises(InvalidRequestError, match=r"cert\.pem"):
        _ = CloudSettings(tls_cert=tmp_path / "cert.pem").tls
    done = run_cli(Home(tmp_path / "home"), "start", "--tls-cert", str(tmp_path / "cert.pem"))
    assert done.returncode == 1
    assert "cert.pem" in done.stderr


def test_urls_name_what_others_can_reach(tmp_path):
    cert = tmp_path / "cert.pem"
    assert CloudSettings(host="0.0.0.0", insecure=True).url(1) == "http://127.0.0.1:1"
    assert (
        CloudSettings(host="0.0.0.0", tls_cert=cert, public_hosts=("a.example",)).url(1)
        == "https://a.example:1"
    )
    assert CloudSettings(host="::1", tls_cert=cert).url(1) == "https://[::1]:1"
    assert CloudSettings(public_hosts=("a.example",)).url(1) == "http://127.0.0.1:1"


@pytest.fixture(scope="module")
def tls_home(tmp_path_factory, certificate) -> Home:
    """Home of a cloud that was started for everybody, with TLS."""
    home = Home(tmp_path_factory.mktemp("tls") / "home")
    cert, key = certificate
    tls = ("--tls-cert", str(cert), "--tls-key", str(key))
    done = run_cli(home, "start", "--host", "0.0.0.0", "--public-host", "localhost", *tls)
    assert done.returncode == 0, done.stderr
    yield home
    assert run_cli(home, "stop").returncode == 0


def test_the_control_plane_serves_tls_and_its_own_faces_know_it(tls_home, certificate, monkeypatch):
    state = tls_home.read_state()
    assert state.endpoint.startswith("https://localhost:")
    assert embedded.find(tls_home) == state
    headers = {"X-YATAI-API-TOKEN": state.token}
    trusting = ssl.create_default_context(cafile=str(certificate[0]))
    url = f"{state.endpoint}/api/v1/auth/current"
    assert httpx.get(url, headers=headers, verify=trusting, trust_env=False).status_code == 200
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(url, headers=headers, trust_env=False)
    with pytest.raises(httpx.TransportError):
        httpx.get(url.replace("https:", "http:"), headers=headers, trust_env=False)
    monkeypatch.setenv("BENTO_JUPYTER_HOME", str(tls_home.root))
    assert Cloud("embedded", state.endpoint, state.token, embedded=True).ping()
    assert run_cli(tls_home, "status").returncode == 0


def test_somebody_else_at_the_address_is_not_taken_for_the_cloud(tls_home, certificate, tmp_path):
    cert, key = make_certificate(tmp_path)
    context = tls_home.trust(tls_home.read_state().endpoint)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(cert, key)
    ours, theirs = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(theirs, ours)
    impostor = server.wrap_bio(ours, theirs, server_side=True)

    def shake_hands() -> None:
        for _ in range(10):
            for end in (client, impostor):
                with contextlib.suppress(ssl.SSLWantReadError):
                    end.do_handshake()

    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands()
    assert tls_home.trust("https://elsewhere.example") is True


def test_a_running_cloud_is_not_opened_by_another_start(tls_home):
    done = run_cli(tls_home, "start", "--host", "0.0.0.0", "--insecure")
    assert done.returncode == 1
    assert "runs already" in done.stderr
    assert run_cli(tls_home, "start").returncode == 0


def test_a_deployment_is_called_over_tls(tls_home, certificate, bentoml, greeter, wait_for):
    state = tls_home.read_state()
    token = {"X-YATAI-API-TOKEN": state.token}
    login = ("cloud", "login", "--endpoint", state.endpoint, "--api-token", state.token, "--context", "tls")
    environment = {"SSL_CERT_FILE": str(certificate[0])}
    bentoml(*login, environment=environment)
    bentoml("deploy", greeter, "-n", "tls", "--no-wait", "--context", "tls", environment=environment)
    trusting = ssl.create_default_context(cafile=str(certificate[0]))
    with httpx.Client(base_url=state.endpoint, headers=token, verify=trusting, trust_env=False) as http:
        url = http.get("/api/v2/deployments/tls").json()["urls"][0]
        assert url.startswith("https://localhost:")
        with httpx.Client(verify=trusting, trust_env=False, timeout=60) as caller:
            answer = caller.post(f"{url}/greet", json={"name": "you"})
            assert answer.text == "hello dear you"
            assert caller.post(f"{url}/greet", json={"name": "you"}).text == "hello dear you"
            assert caller.post(f"{url}/greet", content=b"x" * 3_000_000).status_code == 400
            with pytest.raises(httpx.TransportError):
                caller.get(url.replace("https:", "http:"))
        port = int(url.rpartition(":")[2])
        with (
            socket.create_connection(("127.0.0.1", port)) as plain,
            trusting.wrap_socket(plain, server_hostname="localhost") as connection,
        ):
            connection.sendall(b"GET / HTTP/1.1\r\nbroken\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 400")
        http.delete("/api/v2/deployments/tls").raise_for_status()


def raw(endpoint: str, *pieces: bytes, wait: float = 10) -> bytes:
    """What a cloud answers to these bytes, until it closes the connection or has nothing more to say."""
    host, _, port = endpoint.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=wait) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass
        said = b""
        try:
            while chunk := connection.recv(65536):
                said += chunk
                connection.settimeout(0.5)
        except (ConnectionResetError, TimeoutError):
            pass
        return said


HEAD = b"GET /api/v1/auth/code HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"


def test_a_head_of_a_usual_size_is_taken_in_pieces(cloud):
    filler = b"X-Filler: " + b"x" * 30_000 + b"\r\n"
    head = HEAD + filler + b"\r\n"
    assert raw(cloud.endpoint, *(head[i : i + 700] for i in range(0, len(head), 700))).startswith(
        b"HTTP/1.1 200"
    )


@pytest.mark.parametrize(
    "huge",
    [
        [HEAD + b"X-Filler: ", *[b"x" * 65536] * 40],
        [HEAD, *[b"X-Filler: yes\r\n" * 4000] * 40],
        [b"GET /" + b"x" * 65536, *[b"x" * 65536] * 40],
        [HEAD + b"X-Filler: " + b"x" * (LARGEST_HEAD + 1) + b"\r\n\r\n"],
    ],
    ids=["header", "headers", "path", "at-once"],
)
def test_a_huge_head_is_refused_before_it_is_all_there(cloud, huge):
    said = raw(cloud.endpoint, *huge)
    assert said[:12] in (b"HTTP/1.1 431", b"HTTP/1.1 400", b"")
    assert cloud.http.get("/api/v1/auth/current").status_code == 200


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET\r\n\r\n",
        b"\0" * 100,
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET \xff HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_no_request_is_answered_with_400(cloud, nonsense):
    assert raw(cloud.endpoint, nonsense).startswith(b"HTTP/1.1 400")


def test_a_body_that_is_too_large_is_refused_before_it_is_all_there(cloud):
    head = (
        b"POST /api/v1/org_secrets HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000000\r\n"
        b"X-YATAI-API-TOKEN: " + cloud.token.encode() + b"\r\n\r\n"
    )
    said = raw(cloud.endpoint, head, *[b" " * 65536] * 300)
    assert said.startswith(b"HTTP/1.1 400")
    assert b"16 MiB" in said


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[",
        b"null",
        b"[]",
        b'"a"',
        b"NaN",
        b'{"name": "\\ud800"}',
        b"[" * 100_000,
        b'{"name": 1e999}',
    ],
)
def test_a_body_that_is_no_json_or_of_the_wrong_type_is_refused(cloud, content):
    for method, path in [
        ("POST", "/api/v1/org_secrets"),
        ("PATCH", "/api/v1/org_secrets/a"),
        ("POST", "/api/v1/api_tokens"),
        ("POST", "/api/v2/deployments"),
        ("PUT", "/api/v2/deployments/a"),
        ("POST", "/api/v1/bento_repositories"),
        ("POST", "/api/v1/bento_repositories/a/bentos"),
        ("POST", "/api/v1/model_repositories/a/models"),
    ]:
        answer = cloud.http.request(method, path, content=content)
        assert answer.status_code in (400, 404), (method, path, answer.text)
        assert len(answer.text) < 500
        assert json.loads(answer.text)


def test_no_page_of_others_may_read_an_answer(cloud):
    origin = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    for method in ("OPTIONS", "GET", "POST"):
        for path in ("/api/v2/deployments", "/api/v1/auth/code", "/login", "/api/bj/v1/cloud"):
            answer = cloud.http.request(method, path, headers=origin)
            assert not [name for name in answer.headers if name.startswith("access-control")]
            assert answer.status_code != 200 or method != "OPTIONS"


def test_no_answer_leads_a_token_elsewhere(cloud):
    for path in (
        "/api/v2/deployments/",
        "/api/v1/auth/current/",
        "/api/bj/v1/cloud/",
    ):
        assert cloud.http.get(path).status_code in (403, 404)


def test_a_cloud_that_cannot_start_is_told_to_the_caller(tmp_path):
    with pytest.raises(CloudError, match="--insecure"):
        embedded.start(Home(tmp_path / "home"), options=["--host", "0.0.0.0"])


class Decoded(BaseModel):
    """A body that knows in which thread it was decoded."""

    text: str
    thread: int = 0

    @field_validator("thread", mode="before")
    @classmethod
    def _here(cls, _value: Any) -> int:
        return threading.get_ident()


@pytest.mark.parametrize("size", [10, LARGEST_AT_ONCE + 1])
def test_large_bodies_are_decoded_beside_the_loop(size):
    body = json.dumps({"text": "x" * size, "thread": 0}).encode()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    request = Request({"type": "http", "method": "POST", "path": "/", "headers": []}, receive)
    decoded = asyncio.run(read(request, Decoded))
    assert len(decoded.text) == size
    assert (decoded.thread != threading.get_ident()) is (size > LARGEST_AT_ONCE)
