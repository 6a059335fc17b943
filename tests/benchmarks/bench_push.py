"""A push of 1 GiB: HTTP PUT against nginx's WebDAV, which does not hash; ours against `bentoml push`."""

from __future__ import annotations

import io
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from bento_jupyter.client import embedded
from bento_jupyter.home import CloudState, Home

GIB = 2**30
ROUNDS = 3
MANIFEST = {"module": "m", "api_version": "v1", "bentoml_version": "1", "size_bytes": GIB}

NGINX = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1; {user}
events {{ worker_connections 64; }}
http {{
  access_log off; client_max_body_size 0; client_body_temp_path {folder}/body;
  server {{ listen 127.0.0.1:{port}; location / {{ root {folder}/files; dav_methods PUT; }} }}
}}
"""

BUILD = """
import bentoml, os
with bentoml.models.create("gib") as model:
    with open(model.path_of("weights.bin"), "wb") as file:
        for _ in range(1024):
            file.write(os.urandom(2**20))
open("service.py", "w").write('''
import bentoml
@bentoml.service
class Big:
    model = bentoml.models.BentoModel("gib:latest")
    @bentoml.api
    def ask(self) -> int:
        return 1
''')
for version in VERSIONS:
    bento = bentoml.bentos.build("service:Big", name="big", version=version, python={"lock_packages": False})
"""

PUSH = """
import time
begun = time.perf_counter()
{what}
print("FIGURE", time.perf_counter() - begun)
"""
THEIRS = "import bentoml\nbentoml.push('big:v1')"
OURS = "from bento_jupyter.client.session import connect\nassert connect().push('big:v1')"


@contextmanager
def nginx(folder: Path, port: int) -> Iterator[str]:
    """nginx with WebDAV; gives the URL to put to."""
    (folder / "files").mkdir(parents=True)
    config = folder / "nginx.conf"
    user = "user root;" if os.getuid() == 0 else ""
    config.write_text(NGINX.format(folder=folder, port=port, user=user))
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    with subprocess.Popen(
        [program, "-p", str(folder), "-c", str(config), "-e", str(folder / "error.log")]
    ) as server:
        try:
            url = f"http://127.0.0.1:{port}/model.tar"
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:
                try:
                    httpx.get(url, trust_env=False)
                    break
                except httpx.TransportError:
                    time.sleep(0.05)
            yield url
        finally:
            server.terminate()
            server.wait()


def curl(archive: Path, url: str, *more: str) -> float:
    """Seconds that `curl -T` takes."""
    quiet = ["-sS", "-f", "--noproxy", "*", "-o", os.devnull, "-w", "%{time_total}", "-H", "Expect:"]
    command = ["curl", *quiet, *more, "-T", str(archive), url]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


@contextmanager
def cloud_in(folder: Path) -> Iterator[CloudState]:
    home = Home(folder / "home")
    try:
        yield embedded.start(home)
    finally:
        embedded.stop(home)


def model_archive(path: Path) -> Path:
    with tarfile.open(path, "w:") as tar:
        info = tarfile.TarInfo("model.yaml")
        info.size = 8
        tar.addfile(info, io.BytesIO(b"name: m\n"))
        info = tarfile.TarInfo("weights.bin")
        info.size = GIB
        with open("/dev/urandom", "rb") as noise:
            tar.addfile(info, noise)
    return path


@contextmanager
def peak_memory(pid: int) -> Iterator[list[int]]:
    """The most resident memory of a process meanwhile, above what it had at first."""
    import threading

    process, over = psutil.Process(pid), threading.Event()
    idle = process.memory_info().rss
    peak = [0]

    def look() -> None:
        while not over.wait(0.02):
            peak[0] = max(peak[0], process.memory_info().rss - idle)

    thread = threading.Thread(target=look)
    thread.start()
    yield peak
    over.set()
    thread.join()


@pytest.mark.skipif(
    not (shutil.which("nginx") or Path("/usr/sbin/nginx").exists()) or not shutil.which("curl"),
    reason="needs nginx with WebDAV, and curl",
)
def bench_put(record: Callable[..., None], tmp_path: Path) -> None:
    archive = model_archive(tmp_path / "model.tar")
    ours, theirs, peaks = [], [], []
    with cloud_in(tmp_path) as state, nginx(tmp_path / "nginx", 18099) as webdav:
        headers = {"X-YATAI-API-TOKEN": state.token}
        with httpx.Client(base_url=state.endpoint, headers=headers, trust_env=False) as http:
            http.post("/api/v1/model_repositories", json={"name": "gib"}).raise_for_status()
            path = "/api/v1/model_repositories/gib/models"
            for number in range(-1, ROUNDS):
                http.post(path, json={"version": f"v{number + 1}", "manifest": MANIFEST}).raise_for_status()
                url = f"{state.endpoint}{path}/v{number + 1}/upload"
                theirs.append(curl(archive, webdav))
                with peak_memory(state.pid) as peak:
                    ours.append(curl(archive, url, "-H", f"X-YATAI-API-TOKEN: {state.token}"))
                peaks.append(peak[0])
                http.delete(f"/api/bj/v1/models/gib/v{number + 1}", timeout=60).raise_for_status()
                (tmp_path / "nginx" / "files" / "model.tar").unlink()
    record("push.1gib", statistics.median(ours[1:]), statistics.median(theirs[1:]))
    record("push.1gib.memory", max(peaks) / 2**20, 64, "MiB")


def bench_our_push(record: Callable[..., None], tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "BENTO_JUPYTER_HOME": str(tmp_path / "home"),
        "BENTOML_HOME": str(tmp_path / "bentoml"),
        "BENTOML_DO_NOT_TRACK": "True",
    }
    (tmp_path / "bentoml").mkdir()
    (tmp_path / "project").mkdir()

    def python(code: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            cwd=tmp_path / "project",
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    python(f"VERSIONS = ['v1']\n{BUILD}")
    times: dict[str, list[float]] = {"ours": [], "theirs": []}
    with cloud_in(tmp_path) as state:
        environment |= {"BENTO_CLOUD_API_KEY": state.token, "BENTO_CLOUD_API_ENDPOINT": state.endpoint}
        with httpx.Client(
            base_url=state.endpoint, headers={"X-YATAI-API-TOKEN": state.token}, timeout=60, trust_env=False
        ) as http:
            for _ in range(ROUNDS):
                for name, what in (("theirs", THEIRS), ("ours", OURS)):
                    said = python(PUSH.format(what=what))
                    times[name].append(float(said.split("FIGURE")[1]))
                    http.delete("/api/bj/v1/bentos/big/v1").raise_for_status()
                    [model] = http.get("/api/v1/models").json()["items"]
                    http.delete(f"/api/bj/v1/models/gib/{model['version']}").raise_for_status()
    record("push.1gib.handed_over", statistics.median(times["ours"]), statistics.median(times["theirs"]))
