"""Cold starts of a real cloud, end to end, against `bentoml serve` in the same environment.

Few samples by default; `BENCH_SAMPLES=30 make bench` for figures that hold.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path

import httpx
import pytest
from built_bento import build_bento
from loads import SAMPLES, quantile
from realcloud import eventually
from serving import FLOWER, BenchedCloud, ask, build_iris, proportional_memory, serve

from bento_jupyter.spec import Mode

#: How many replicas memory is taken of, and how many `bentoml serve`.
REPLICAS, SERVES = 10, 3

#: The library is imported when the instance is made, as it is by those that load models.
TORCH = """
import bentoml

@bentoml.service(name="layer")
class Layer:
    def __init__(self) -> None:
        import torch
        torch.manual_seed(0)
        self.torch, self.layer = torch, torch.nn.Linear(4, 3)

    @bentoml.api
    def predict(self, X: list[list[float]]) -> list[list[float]]:
        with self.torch.inference_mode():
            return self.layer(self.torch.tensor(X)).tolist()
"""

Record = Callable[..., None]


def cold_starts(
    cloud: BenchedCloud, url: str, bento: str, samples: int
) -> tuple[list[float], list[float], list[float]]:
    """Ours, those of `bentoml serve`, and ours from the request until the process had been started."""
    ours, theirs, decisions = [], [], []
    with httpx.Client(timeout=120, trust_env=False) as client:
        ask(client, f"{url}/predict", FLOWER).raise_for_status()  # also connects
        with serve(cloud, bento, "/predict", FLOWER):
            pass  # it writes the bytecode of what only it imports
        for _ in range(samples):
            cloud.wait("cold", "scaled-to-zero")
            sent = datetime.now(timezone.utc)
            begun = time.perf_counter()
            ask(client, f"{url}/predict", FLOWER).raise_for_status()
            ours.append(time.perf_counter() - begun)
            for instance in cloud.view("cold").instances:
                decisions.append((instance.started_at - sent).total_seconds())
            with serve(cloud, bento, "/predict", FLOWER) as served:
                theirs.append(served.seconds)
    return ours, theirs, decisions


def tell(record: Record, name: str, ours: list[float], theirs: list[float]) -> None:
    record(f"{name}.p50", quantile(ours, 0.5), quantile(theirs, 0.5))
    record(f"{name}.p95", quantile(ours, 0.95), quantile(theirs, 0.95))


@pytest.mark.timeout(1800)
def bench_cold_start_sklearn(record: Record, tmp_path: Path) -> None:
    build_iris(tmp_path, "v1")
    with BenchedCloud(tmp_path) as cloud:
        cloud.bentoml("push", "iris:v1")
        url = cloud.deploy("cold", "iris:v1", "iris", mode=Mode.ON_DEMAND, idle_seconds=1)
        cloud.warmed("cold", url, "/predict", FLOWER)
        ours, theirs, decisions = cold_starts(cloud, url, "iris:v1", SAMPLES)
    tell(record, "cold_start.sklearn", ours, theirs)
    # Until the process had been made, which is a little later than that it was ordered.
    record("decision.p50", quantile(decisions, 0.5), quantile(theirs, 0.5))
    record("decision.p95", quantile(decisions, 0.95), quantile(theirs, 0.95))


@pytest.mark.timeout(1800)
def bench_cold_start_first(record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENTO_JUPYTER_ZYGOTES", "0")  # nothing is warm
    build_iris(tmp_path, "v1")
    with BenchedCloud(tmp_path) as cloud:
        cloud.bentoml("push", "iris:v1")
        url = cloud.deploy("cold", "iris:v1", "iris", mode=Mode.ON_DEMAND, idle_seconds=1)
        ours, theirs, _ = cold_starts(cloud, url, "iris:v1", SAMPLES)
    tell(record, "cold_start.first", ours, theirs)


@pytest.mark.timeout(1800)
def bench_cold_start_torch(record: Record, tmp_path: Path) -> None:
    build_bento(tmp_path, TORCH, service="service.py:Layer", name="layer", packages=["torch", "numpy"])
    with BenchedCloud(tmp_path) as cloud:
        cloud.bentoml("push", "layer:v1")
        url = cloud.deploy("cold", "layer:v1", "layer", mode=Mode.ON_DEMAND, idle_seconds=1)
        cloud.warmed("cold", url, "/predict", FLOWER)
        ours, theirs, _ = cold_starts(cloud, url, "layer:v1", SAMPLES)
    tell(record, "cold_start.torch", ours, theirs)


@pytest.mark.timeout(1800)
def bench_memory(record: Record, tmp_path: Path) -> None:
    build_iris(tmp_path, "v1")
    with BenchedCloud(tmp_path) as cloud:
        cloud.bentoml("push", "iris:v1")
        url = cloud.deploy("warm", "iris:v1", "iris", mode=Mode.ON_DEMAND, idle_seconds=1)
        zygote = cloud.warmed("warm", url, "/predict", FLOWER)
        many = cloud.deploy("many", "iris:v1", "iris", min=REPLICAS, max=REPLICAS, concurrency=1)
        instances = eventually(
            lambda: view.instances if (view := cloud.view("many")).ready == REPLICAS else None
        )
        with httpx.Client(timeout=120, trust_env=False) as client:
            for _ in range(5 * REPLICAS):
                ask(client, f"{many}/predict", FLOWER).raise_for_status()
        ours = proportional_memory([zygote, *(each.pid for each in instances if each.pid)])
        with ExitStack() as stack:
            started = (serve(cloud, "iris:v1", "/predict", FLOWER) for _ in range(SERVES))
            theirs = proportional_memory([stack.enter_context(each).pid for each in started])
    record("memory.replica", ours / REPLICAS, theirs / SERVES, "MiB")
