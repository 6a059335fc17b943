"""Bentos on a real cloud and under `bentoml serve`, in the same environment, for figures of both."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
from built_bento import build_bento
from realcloud import RealCloud, eventually

from bento_jupyter.spec import DeploymentSpec
from bento_jupyter.views import DeploymentView

#: Saves what `SKLEARN` loads.
SAVE = """
import bentoml
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
bentoml.sklearn.save_model("iris", LogisticRegression(max_iter=500).fit(*load_iris(return_X_y=True)))
"""
SKLEARN = """
import bentoml
import numpy as np

@bentoml.service(name="iris")
class Iris:
    model = bentoml.models.BentoModel("iris:latest")

    def __init__(self) -> None:
        self.clf = bentoml.sklearn.load_model(self.model)

    @bentoml.api
    def predict(self, X: np.ndarray) -> np.ndarray:
        return self.clf.predict(X)

    @bentoml.api
    def version(self) -> str:
        return "{version}"
"""
#: What is asked of it.
FLOWER = '{"X": [[5.1, 3.5, 1.4, 0.2]]}'


def build_iris(folder: Path, *versions: str) -> None:
    """Bentos `iris:<version>`, below `folder`."""
    (folder / "bentoml").mkdir(parents=True, exist_ok=True)
    envs = {**os.environ, "BENTOML_HOME": str(folder / "bentoml"), "BENTOML_DO_NOT_TRACK": "True"}
    subprocess.run([sys.executable, "-c", SAVE], env=envs, check=True, capture_output=True)
    for version in versions:
        source = SKLEARN.replace("{version}", version)
        packages = ["scikit-learn", "numpy"]
        build_bento(
            folder, source, service="service.py:Iris", name="iris", version=version, packages=packages
        )


class BenchedCloud(RealCloud):
    """A real cloud, and clients of it."""

    def __enter__(self) -> BenchedCloud:
        self.start()
        headers = {"X-YATAI-API-TOKEN": self.state.token}
        self.http = httpx.Client(base_url=self.state.endpoint, headers=headers, timeout=120, trust_env=False)
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()
        self.stop()

    @property
    def python(self) -> Path:
        """Interpreter of the only environment."""
        [environment] = (each for each in self.home.environments.iterdir() if (each / ".complete").is_file())
        return environment / "bin" / "python"

    def deploy(self, name: str, bento: str, service: str, **wishes: Any) -> str:
        """Deploy a Bento that was pushed, wait until it is up (or at rest), and give its URL."""
        spec = DeploymentSpec(name=name, bento=bento, **wishes)
        self.http.post("/api/v2/deployments", json=spec.to_wire(service)).raise_for_status()
        return self.settled(name).url or ""

    def warmed(self, name: str, url: str, path: str, body: str) -> int:
        """Have cold starts until one is forked; give the process id of the zygote."""
        deadline = time.monotonic() + 300
        with httpx.Client(timeout=300, trust_env=False) as client:
            while time.monotonic() < deadline:
                ask(client, f"{url}{path}", body).raise_for_status()
                for instance in self.view(name).instances:
                    with suppress(psutil.Error):  # it may rest again
                        parent = psutil.Process(instance.pid).parent()
                        if parent and any(word.endswith("forkserver.py") for word in parent.cmdline()):
                            return parent.pid
                self.wait(name, "scaled-to-zero")
        raise AssertionError("there is no zygote")

    def settled(self, name: str) -> DeploymentView:
        """Wait until a deployment runs as wished, or rests."""
        return eventually(
            lambda: view if (view := self.view(name)).status in ("running", "scaled-to-zero") else None, 300
        )


@dataclass(frozen=True)
class Served:
    """A `bentoml serve`.

    Attributes:
        pid: Of its first process.
        url: Where it answers.
        seconds: From its start until the first answer.
    """

    pid: int
    url: str
    seconds: float


@contextmanager
def serve(cloud: BenchedCloud, bento: str, path: str, body: str) -> Iterator[Served]:
    """`bentoml serve` of a Bento in the environment that the cloud made for it, until the first answer."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    begun = time.perf_counter()
    process = subprocess.Popen(
        [str(cloud.python), "-m", "bentoml", "serve", bento, "--port", str(port)],
        env={**cloud.environment, "PYTHONPATH": ""},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        with httpx.Client(timeout=30, trust_env=False) as client:
            while not answers(client, f"{url}{path}", body):
                assert process.poll() is None, "bentoml serve has ended"
                assert time.perf_counter() - begun < 120, "bentoml serve does not answer"
                time.sleep(0.005)
        yield Served(process.pid, url, time.perf_counter() - begun)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def answers(client: httpx.Client, url: str, body: str) -> bool:
    """Whether it answers as it should, asked once."""
    try:
        return ask(client, url, body).status_code == 200
    except httpx.TransportError:
        return False


def ask(client: httpx.Client, url: str, body: str) -> httpx.Response:
    """POST some JSON."""
    return client.post(url, content=body, headers={"Content-Type": "application/json"})


def proportional_memory(pids: Sequence[int]) -> float:
    """MiB of these processes and all that they started; pages that several have count once."""
    processes = {each.pid: each for pid in pids for each in family(pid)}
    return sum(each.memory_full_info().pss for each in processes.values()) / 2**20


def family(pid: int) -> list[psutil.Process]:
    """A process and all that it started."""
    return [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
