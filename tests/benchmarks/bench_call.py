"""Calls from a notebook: ours against plain httpx, and against BentoML's own client for a large frame."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.testing.globalipapp import get_ipython

import bento_jupyter as bj
from bento_jupyter.client import embedded
from bento_jupyter.client.deployment import Deployment
from bento_jupyter.home import Home

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
#: Small calls of a round, of each kind in turn.
CALLS = 300
ROWS, COLUMNS = 100_000, 20

Record = Callable[..., None]


def in_turn(calls: dict[str, Callable[[], Any]], count: int) -> dict[str, float]:
    """Median seconds of each call, called one after the other, `count` times."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(count):
        for name, call in calls.items():
            begun = time.perf_counter()
            call()
            taken[name].append(time.perf_counter() - begun)
    return {name: statistics.median(each) for name, each in taken.items()}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("calls")
    (folder / "bentoml").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENTO_JUPYTER_HOME", str(folder / "home"))
        patch.setenv("BENTOML_HOME", str(folder / "bentoml"))
        patch.setenv("BENTOML_DO_NOT_TRACK", "True")
        yield bj.connect()
        embedded.stop(Home(folder / "home"))


@pytest.fixture
def shell(cloud: Any) -> InteractiveShell:
    found: InteractiveShell = get_ipython() or InteractiveShell.instance()
    found.run_line_magic("load_ext", "bento_jupyter")
    return found


def deployed(name: str, sample: pd.DataFrame | np.ndarray[Any, Any]) -> Deployment:
    from sklearn.preprocessing import FunctionTransformer

    echo = FunctionTransformer().fit(sample)
    found: Deployment = bj.deploy(echo, name=name, sample=sample, mode="online")
    return found


@pytest.mark.timeout(900)
def bench_small(record: Record, shell: InteractiveShell) -> None:
    """A call of a kilobyte: `dep.call` and `%bento_call` against httpx on a kept connection (aim 1.2)."""
    flowers = np.random.default_rng(0).random((13, 4))
    dep = deployed("small", flowers[:5])
    body, url = {"X": flowers.tolist()}, f"{dep.url}/transform"
    shell.user_ns["flowers"] = flowers
    with httpx.Client(trust_env=False) as client:
        calls: dict[str, Callable[[], Any]] = {
            "httpx": lambda: client.post(url, json=body).json(),
            "python": lambda: dep.call("transform", flowers),
            "magic": lambda: shell.run_line_magic("bento_call", "small transform flowers"),
        }
        assert np.array_equal(calls["httpx"](), flowers)
        assert np.array_equal(calls["python"](), flowers)
        assert np.array_equal(calls["magic"](), flowers)
        in_turn(calls, CALLS)
        rounds = [in_turn(calls, CALLS) for _ in range(ROUNDS)]
    found = {name: statistics.median(each[name] for each in rounds) for name in calls}
    record("call.small", found["python"], found["httpx"])
    record("call.small.magic", found["magic"], found["httpx"])


@pytest.mark.timeout(900)
def bench_frame(record: Record, cloud: Any) -> None:
    """A frame of 100,000 x 20 there and back, against `bentoml.SyncHTTPClient` (aim 0.3)."""
    values = np.random.default_rng(0).random((ROWS, COLUMNS))
    frame = pd.DataFrame(values, columns=[f"c{i}" for i in range(COLUMNS)])
    dep = deployed("large", frame[:5])
    with dep.client() as client:
        calls: dict[str, Callable[[], Any]] = {
            "ours": lambda: dep.call("transform", frame),
            "theirs": lambda: client.transform(X=frame),
        }
        pd.testing.assert_frame_equal(calls["ours"](), frame)
        calls["theirs"]()
        rounds = [in_turn(calls, 2) for _ in range(ROUNDS)]
    found = {name: statistics.median(each[name] for each in rounds) for name in calls}
    record("call.frame", found["ours"], found["theirs"])
