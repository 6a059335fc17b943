"""A scripted life of an embedded cloud that is killed again and again, and what must be true after it."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import io
import os
import random
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import psutil

from bento_jupyter.cloud.store.packing import describe
from bento_jupyter.home import Home

REPOSITORY = Path(__file__).parents[2]

SOURCE = """
from pathlib import Path
import bentoml

@bentoml.service
class Service:
    @bentoml.api
    def marker(self) -> str:
        return Path(__file__).with_name("marker.txt").read_text()
"""

#: Seconds that processes of a killed cloud get to notice.
LAST_BREATH = 10.0
START_TIMEOUT = 60.0


@dataclass(frozen=True)
class Wanted:
    """A deployment as it was acknowledged."""

    bento: str
    terminated: bool
    most: int
    env: str
    port: int = 0


@dataclass
class Memory:
    """What the cloud has acknowledged, and what was under way when it died.

    Attributes:
        content: `kind/name:version` -> SHA-256 of the archive whose upload was acknowledged.
        deployments: Name -> what was acknowledged.
        tokens: API tokens that were given out.
        pending: (key, value it may have instead) of the call that was never answered.
    """

    content: dict[str, str] = field(default_factory=dict)
    deployments: dict[str, Wanted] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)
    pending: tuple[str, object] | None = None


class Defect(AssertionError):
    """The cloud broke its word."""


class Mortal:
    """An embedded cloud in a process that is killed.

    Args:
        home: Its home; kept over all its deaths.
    """

    def __init__(self, home: Home) -> None:
        self.home = home
        self.process: subprocess.Popen[bytes] | None = None
        self.endpoint = ""
        self.token = ""

    def spawn(self) -> None:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("BENTO")}
        self.home.root.mkdir(parents=True, exist_ok=True)
        with (self.home.root.parent / "cloud.out").open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bento_jupyter.cloud", "--home", str(self.home.root)],
                env={
                    **kept,
                    "PYTHONPATH": str(REPOSITORY),
                    "BENTO_JUPYTER_HOME": str(self.home.root),
                    "BENTO_JUPYTER_IDLE_SECONDS": "1",
                },
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def start(self) -> None:
        """Start it; it answers when this returns."""
        self.spawn()
        assert self.process is not None
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                output = (self.home.root.parent / "cloud.out").read_text()[-2000:]
                raise Defect(f"the cloud does not start again (code {self.process.returncode}): {output}")
            state = self.home.read_state()
            if state is not None and state.pid == self.process.pid:
                self.endpoint, self.token = state.endpoint, state.token
                return
            time.sleep(0.01)
        raise Defect(f"the cloud does not answer {START_TIMEOUT:g} s after its start")

    def kill(self) -> None:
        """SIGKILL to the control plane alone, then wait until nothing of it is left."""
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        deadline = time.monotonic() + LAST_BREATH
        while left := self.processes():
            if time.monotonic() > deadline:
                raise Defect(f"orphans {LAST_BREATH:g} s after the kill: {[each.cmdline() for each in left]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop it softly."""
        assert self.process is not None
        self.process.terminate()
        code = self.process.wait(timeout=30)
        if code != 0:
            raise Defect(f"a soft stop ended with {code}")
        if left := self.processes():
            raise Defect(f"orphans after a soft stop: {[each.cmdline() for each in left]}")

    def processes(self) -> list[psutil.Process]:
        """Processes of this home."""
        found, root = [], str(self.home.root)
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.pid == os.getpid() or process.status() == psutil.STATUS_ZOMBIE:
                    continue
                words = process.cmdline()
                ours = any(root in word for word in words)
                if ours or (words and process.environ().get("BENTO_JUPYTER_HOME") == root):
                    found.append(process)
        return found

    def client(self) -> httpx.Client:
        headers = {"X-YATAI-API-TOKEN": self.token}
        return httpx.Client(base_url=self.endpoint, headers=headers, timeout=60, trust_env=False)


class Life:
    """What users do to the cloud, call by call, as they come to mind; and what they remember of it.

    Args:
        cloud: Whom they do it to.
        bento: Folder of a real Bento.
        seed: Makes the same life again, as far as threads and clocks allow.
    """

    def __init__(self, cloud: Mortal, bento: Path, seed: int) -> None:
        self.cloud = cloud
        self.memory = Memory()
        self.calls = 0
        self.failure: BaseException | None = None
        self._bento = bento
        self._random = random.Random(seed)
        #: Digests of what was handed over as a folder: there is no blob of it.
        self._handed_over: set[str] = set()
        self._markers: dict[str, str] = {}
        self._stop = threading.Event()

    def run(self, seconds: float) -> None:
        """Live for this long, then die by SIGKILL."""
        self._stop.clear()
        thread = threading.Thread(target=self._live, daemon=True)
        thread.start()
        thread.join(seconds)
        self._stop.set()
        self.cloud.kill()
        thread.join(60)
        if thread.is_alive():
            raise Defect("a call was neither answered nor broken off by the death of the cloud")
        if self.failure is not None:
            raise self.failure

    def _live(self) -> None:
        try:
            with self.cloud.client() as http:
                while not self._stop.is_set():
                    self._step(http)
                    self.calls += 1
        except (httpx.TransportError, httpx.StreamError):
            pass  # it died
        except BaseException as error:
            self.failure = error

    def _step(self, http: httpx.Client) -> None:
        steps: list[tuple[int, Callable[[httpx.Client], None]]] = [
            (4, self._push_bento),
            (2, self._push_model),
            (2, self._hand_over_model),
            (4, self._deploy),
            (4, self._update),
            (2, self._terminate),
            (2, self._start),
            (2, self._delete),
            (2, self._call),
            (1, self._token),
            (1, self._pause),
        ]
        weights, actions = zip(*steps, strict=True)
        self._random.choices(actions, weights)[0](http)

    # What they do

    def _push_bento(self, http: httpx.Client) -> None:
        version = self._random.choice(["v1", "v2"])
        marker = f"{self._random.getrandbits(64):016x}"
        archive = self._bento_archive(version, marker)
        self._markers[hashlib.sha256(archive).hexdigest()] = marker
        manifest = {
            "service": "service:Service",
            "bentoml_version": "1.4.39",
            "size_bytes": len(archive),
            "entry_service": "Service",
            "services": [{"name": "Service", "service": "", "models": []}],
            "name": "crash",
        }
        self._push(http, "bento", "crash", version, manifest, archive)

    def _push_model(self, http: httpx.Client) -> None:
        content = self._random.randbytes(self._random.choice([1000, 100_000, 6_000_000]))
        archive = tar_of({"model.yaml": b"name: weights\n", "weights.bin": content})
        manifest = {"module": "m", "api_version": "v1", "bentoml_version": "1", "size_bytes": len(content)}
        self._push(http, "model", "weights", self._random.choice(["m1", "m2"]), manifest, archive)

    def _hand_over_model(self, http: httpx.Client) -> None:
        """Push as our own client does it on the same machine: by the name of a folder."""
        version = self._random.choice(["m1", "m2", "m3"])
        key = f"model/weights:{version}"
        folder = self.cloud.home.root.parent / "handed over"
        folder.mkdir(exist_ok=True)
        (folder / "model.yaml").write_text("name: weights\n")
        (folder / "weights.bin").write_bytes(self._random.randbytes(self._random.choice([1000, 6_000_000])))
        manifest = {"module": "m", "api_version": "v1", "bentoml_version": "1", "size_bytes": 1}
        versions = "/api/v1/model_repositories/weights/models"
        http.post("/api/v1/model_repositories", json={"name": "weights"}).raise_for_status()
        if http.get(f"{versions}/{version}").status_code == 404:
            http.post(versions, json={"version": version, "manifest": manifest}).raise_for_status()
        digest = describe(folder).digest
        self._handed_over.add(digest)
        with self._acknowledging(f"content {key}", digest):
            path = f"/api/bj/v1/models/weights/{version}/content"
            http.put(path, json={"path": str(folder)}).raise_for_status()
            self.memory.content[key] = digest

    def _push(
        self, http: httpx.Client, kind: str, name: str, version: str, manifest: dict, archive: bytes
    ) -> None:
        key = f"{kind}/{name}:{version}"
        http.post(f"/api/v1/{kind}_repositories", json={"name": name}).raise_for_status()
        versions = f"/api/v1/{kind}_repositories/{name}/{kind}s"
        known = http.get(f"{versions}/{version}")
        if known.status_code == 404:
            http.post(versions, json={"version": version, "manifest": manifest}).raise_for_status()
        elif kind == "bento":
            http.patch(f"{versions}/{version}", json={"manifest": manifest}).raise_for_status()
        http.patch(f"{versions}/{version}/start_upload").raise_for_status()
        digest = hashlib.sha256(archive).hexdigest()
        with self._acknowledging(f"content {key}", digest):
            chunks = (archive[start : start + 65536] for start in range(0, len(archive), 65536))
            length = {"Content-Length": str(len(archive))}
            http.put(f"{versions}/{version}/upload", content=chunks, headers=length).raise_for_status()
            self.memory.content[key] = digest

    def _deploy(self, http: httpx.Client) -> None:
        free = sorted({"one", "two", "three"} - set(self.memory.deployments))
        bento = self._some_bento()
        if not free or bento is None:
            return
        name = free[0]
        wanted = Wanted(bento, False, self._random.choice([1, 2]), f"{self._random.getrandbits(32):08x}")
        with self._acknowledging(f"deployment {name}", wanted):
            answer = http.post("/api/v2/deployments", json={"name": name, **self._wish(wanted)})
            port = httpx.URL(answer.raise_for_status().json()["urls"][0]).port
            self.memory.deployments[name] = replace(wanted, port=port or 0)

    def _update(self, http: httpx.Client) -> None:
        name, bento = self._some_deployment(), self._some_bento()
        if name is None or bento is None:
            return
        before = self.memory.deployments[name]
        env = self._random.choice([before.env, f"{self._random.getrandbits(32):08x}"])
        wanted = Wanted(bento, False, self._random.choice([1, 2, 3]), env, before.port)
        with self._acknowledging(f"deployment {name}", wanted):
            http.put(f"/api/v2/deployments/{name}", json=self._wish(wanted)).raise_for_status()
            self.memory.deployments[name] = wanted

    def _terminate(self, http: httpx.Client) -> None:
        self._turn(http, True, "terminate", "POST")

    def _start(self, http: httpx.Client) -> None:
        self._turn(http, False, "void_update", "PUT")

    def _turn(self, http: httpx.Client, terminated: bool, call: str, method: str) -> None:
        name = self._some_deployment()
        if name is None:
            return
        wanted = replace(self.memory.deployments[name], terminated=terminated)
        with self._acknowledging(f"deployment {name}", wanted):
            http.request(method, f"/api/v2/deployments/{name}/{call}").raise_for_status()
            self.memory.deployments[name] = wanted

    def _delete(self, http: httpx.Client) -> None:
        name = self._some_deployment()
        if name is None:
            return
        with self._acknowledging(f"deployment {name}", None):
            http.delete(f"/api/v2/deployments/{name}").raise_for_status()
            del self.memory.deployments[name]

    def _call(self, http: httpx.Client) -> None:
        name = self._some_deployment()
        if name is not None:
            port = self.memory.deployments[name].port
            with contextlib.suppress(httpx.TimeoutException):
                httpx.post(f"http://127.0.0.1:{port}/marker", json={}, timeout=1, trust_env=False)

    def _token(self, http: httpx.Client) -> None:
        if len(self.memory.tokens) < 20:
            body = {"name": "t", "description": "", "scopes": None, "expired_at": None}
            answer = http.post("/api/v1/api_tokens", json=body).raise_for_status()
            self.memory.tokens.append(answer.json()["token"])

    def _pause(self, _http: httpx.Client) -> None:
        self._stop.wait(self._random.uniform(0, 2))

    @contextlib.contextmanager
    def _acknowledging(self, key: str, value: object):
        """Until the call in here is answered, the cloud may have either value."""
        self.memory.pending = (key, value)
        yield
        self.memory.pending = None

    # What must be true

    def check(self) -> None:
        """After a start: nothing acknowledged is lost, nothing half-done is visible."""
        self._settle_pending()
        with self.cloud.client() as http:
            self._check_content(http)
            self._check_deployments(http)
            for token in self.memory.tokens:
                answer = http.get("/api/v1/auth/current", headers={"X-YATAI-API-TOKEN": token})
                if answer.status_code != 200:
                    raise Defect("an API token that was given out is not accepted any more")
        self.check_folders()

    def _settle_pending(self) -> None:
        """Which of its two values the call that was under way has come to."""
        if self.memory.pending is None:
            return
        key, value = self.memory.pending
        self.memory.pending = None
        kind, _, name = key.partition(" ")
        with self.cloud.client() as http:
            if kind == "content":
                path = content_path(name)
                record = http.get(path).raise_for_status().json()
                if record["upload_status"] != "success":
                    if name in self.memory.content:
                        raise Defect(f"{name} was complete, and a push that broke off made it {record}")
                    return
                found = hashlib.sha256(http.get(f"{path}/download").raise_for_status().content).hexdigest()
                if found == value:
                    self.memory.content[name] = found
            elif value is None:
                if http.get(f"/api/v2/deployments/{name}").status_code == 404:
                    del self.memory.deployments[name]
            else:
                assert isinstance(value, Wanted)
                answer = http.get(f"/api/v2/deployments/{name}")
                if answer.status_code == 404:
                    return
                seen = self._seen(http, answer.json())
                if seen == replace(value, port=seen.port):
                    self.memory.deployments[name] = seen

    def _check_content(self, http: httpx.Client) -> None:
        for key, digest in self.memory.content.items():
            path = content_path(key)
            record = http.get(path).raise_for_status().json()
            if record["upload_status"] != "success":
                raise Defect(f"{key} is {record['upload_status']}, though its push was acknowledged")
            found = hashlib.sha256(http.get(f"{path}/download").raise_for_status().content).hexdigest()
            if found != digest:
                raise Defect(f"{key} has another content than was acknowledged")

    def _check_deployments(self, http: httpx.Client) -> None:
        items = http.get("/api/v2/deployments").raise_for_status().json()["items"]
        names = {item["name"] for item in items}
        if names != set(self.memory.deployments):
            raise Defect(f"deployments {names}, acknowledged were {set(self.memory.deployments)}")
        for name, wanted in self.memory.deployments.items():
            seen = self._seen(http, http.get(f"/api/v2/deployments/{name}").raise_for_status().json())
            if seen != wanted:
                raise Defect(f"deployment {name} is {seen}, acknowledged was {wanted}")

    def _seen(self, http: httpx.Client, answer: dict) -> Wanted:
        target = answer["latest_revision"]["targets"][0]
        service = target["config"]["services"]["Service"]
        bento = f"{target['bento']['repository']['name']}:{target['bento']['version']}"
        status = http.get(f"/api/bj/v1/deployments/{answer['name']}").raise_for_status().json()["status"]
        return Wanted(
            bento,
            status in ("terminated", "terminating"),
            service["scaling"]["max_replicas"],
            target["config"]["envs"][0]["value"],
            httpx.URL(answer["urls"][0]).port or 0,
        )

    def check_serving(self) -> None:
        """Every deployment that should answers, with the content that was acknowledged."""
        for name, wanted in self.memory.deployments.items():
            if wanted.terminated:
                continue
            marker = self._markers[self.memory.content[f"bento/{wanted.bento}"]]
            answer = httpx.post(
                f"http://127.0.0.1:{wanted.port}/marker", json={}, timeout=120, trust_env=False
            )
            if answer.status_code != 200 or answer.text != marker:
                raise Defect(f"deployment {name} answers {answer.status_code} {answer.text!r}, not {marker}")

    def check_ports_closed(self) -> None:
        """While the cloud is dead, nobody listens on its ports."""
        for name, wanted in self.memory.deployments.items():
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", wanted.port)) == 0:
                    raise Defect(f"somebody listens on port {wanted.port} of {name} though the cloud is dead")

    def check_folders(self) -> None:
        """No folder or file that nothing needs."""
        home = self.cloud.home
        digests = set(self.memory.content.values()) - self._handed_over
        blobs = {path.stem for path in (home.cloud / "blobs").iterdir()}
        if blobs != digests:
            raise Defect(f"blobs: {len(blobs - digests)} that nothing needs, {len(digests - blobs)} missing")
        for kind in ("bento", "model"):
            for tree in (home.cloud / f"{kind}s").glob("*/*/*"):
                key = f"{kind}/{tree.parent.parent.name}:{tree.parent.name}"
                if not self.memory.content.get(key, "").startswith(tree.name):
                    raise Defect(f"a tree of nothing: {tree}")
        logs = {path.name for path in (home.logs / "deployments").glob("*")}
        if stray := logs - set(self.memory.deployments):
            raise Defect(f"logs of deployments that there are not: {stray}")
        if stray := [path for path in home.root.iterdir() if path.name.startswith(".")]:
            raise Defect(f"left in the home: {stray}")
        deadline = time.monotonic() + 20
        # What a cloud unpacks as it starts is on its way through there.
        while left := list((home.cloud / "incoming").iterdir()):
            if time.monotonic() > deadline:
                raise Defect(f"left in incoming: {left}")
            time.sleep(0.1)
        while half := [path for path in home.environments.iterdir() if path.is_dir() and is_abandoned(path)]:
            if time.monotonic() > deadline:
                raise Defect(f"half environments that nobody builds: {half}")
            time.sleep(0.1)

    def check_instances(self) -> None:
        """Sockets and scratch folders are those of instances that there are."""
        deadline = time.monotonic() + 30
        with self.cloud.client() as http:
            while True:
                views = http.get("/api/bj/v1/deployments").raise_for_status().json()["deployments"]
                instances = {each["id"] for view in views for each in view["instances"] if each["pid"]}
                sockets = list(self.cloud.home.sockets.glob("*.sock"))
                scratch = {
                    path.name
                    for path in (self.cloud.home.cloud / "scratch").iterdir()
                    if not path.name.startswith("zygote-")  # what instances are forked from
                }
                if scratch == instances and len(sockets) == len(instances):
                    return
                if time.monotonic() > deadline:
                    raise Defect(f"instances {instances}, scratch {scratch}, {len(sockets)} sockets")
                time.sleep(0.1)

    # Small things

    def _some_bento(self) -> str | None:
        pushed = sorted(key.partition("/")[2] for key in self.memory.content if key.startswith("bento/"))
        return self._random.choice(pushed) if pushed else None

    def _some_deployment(self) -> str | None:
        names = sorted(self.memory.deployments)
        return self._random.choice(names) if names else None

    def _wish(self, wanted: Wanted) -> dict:
        scaling = {"min_replicas": wanted.most - 1, "max_replicas": wanted.most}
        return {
            "bento": wanted.bento,
            "envs": [{"name": "WISH", "value": wanted.env}],
            "services": {"Service": {"scaling": scaling}},
        }

    def _bento_archive(self, version: str, marker: str) -> bytes:
        files = {
            str(path.relative_to(self._bento)): path.read_bytes()
            for path in sorted(self._bento.rglob("*"))
            if path.is_file() and not path.is_symlink()
        }
        files["bento.yaml"] = files["bento.yaml"].replace(b"version: v1", f"version: {version}".encode())
        files["src/marker.txt"] = marker.encode()
        files["src/padding.bin"] = self._random.randbytes(self._random.choice([0, 50_000, 3_000_000]))
        return tar_of(files)


def is_abandoned(environment: Path) -> bool:
    """Whether an environment is unfinished and nobody builds it."""
    with environment.with_name(f"{environment.name}.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return not (environment / ".complete").exists()


def tar_of(files: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(f"./{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return target.getvalue()


def content_path(key: str) -> str:
    kind, _, tag = key.partition("/")
    name, _, version = tag.partition(":")
    return f"/api/v1/{kind}_repositories/{name}/{kind}s/{version}"
