"""What one does without us: write a service file, `bentoml build`, `bentoml serve`, ask until it answers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

SERVICE = """
import bentoml
import numpy as np


@bentoml.service(name="by_hand", image=bentoml.images.Image().python_packages("scikit-learn", "numpy"))
class ByHand:
    model = bentoml.models.BentoModel("by_hand:latest")

    def __init__(self) -> None:
        self.clf = bentoml.sklearn.load_model(self.model)

    @bentoml.api
    def predict(self, X: np.ndarray) -> np.ndarray:
        return self.clf.predict(X)
"""


def build(folder: Path, environment: Mapping[str, str]) -> float:
    """`bentoml build` of the service; returns its seconds."""
    folder.mkdir(exist_ok=True)
    (folder / "service.py").write_text(SERVICE)
    begun = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "bentoml", "build"],
        cwd=folder,
        env=dict(environment),
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - begun


@contextmanager
def served(folder: Path, environment: Mapping[str, str], body: dict[str, object]) -> Iterator[float]:
    """`bentoml serve` until the first answer; yields its seconds."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "bentoml", "serve", "by_hand:latest", "--port", str(port)],
        cwd=folder,
        env=dict(environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as client:
            while True:
                try:
                    if client.post("/predict", json=body).status_code == 200:
                        break
                except httpx.TransportError:
                    pass
                if process.poll() is not None or time.perf_counter() - begun > 120:
                    raise AssertionError("bentoml serve did not answer")
                time.sleep(0.01)
        yield time.perf_counter() - begun
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)
