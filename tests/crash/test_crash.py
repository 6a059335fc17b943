"""The cloud is killed with SIGKILL at random points of a scripted life, and keeps its word all the same.

`BENTO_CRASH_POINTS` says how often (12 unless told; `make crash`: 100), `BENTO_CRASH_SEED` which life.
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest
from built_bento import build_bento
from life import SOURCE, Life, Mortal

from bento_jupyter.home import Home

POINTS = int(os.environ.get("BENTO_CRASH_POINTS", "12"))
#: Every so many deaths the deployments are asked, too: cold starts take seconds.
ASK_EVERY = 5


@pytest.fixture(scope="module")
def bento(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_bento(tmp_path_factory.mktemp("bento"), SOURCE, name="crash")


@pytest.mark.timeout(60 + 30 * POINTS)
def test_what_was_acknowledged_survives_every_kill_and_nothing_is_left_over(tmp_path, bento):
    seed = int(os.environ.get("BENTO_CRASH_SEED", random.randrange(10**6)))
    print(f"seed {seed}: BENTO_CRASH_SEED={seed} makes this life again")
    chance = random.Random(seed)
    cloud = Mortal(Home(tmp_path / "home"))
    life = Life(cloud, bento, seed)
    slowest = 0.0
    try:
        for point in range(POINTS):
            begun = time.monotonic()
            cloud.start()
            slowest = max(slowest, time.monotonic() - begun)
            life.check()
            if point % ASK_EVERY == ASK_EVERY - 1:
                life.check_serving()
                life.check_instances()
            life.run(chance.uniform(0, 5))
            life.check_ports_closed()
            print(f"{point}: {time.monotonic() - begun:.1f} s, {life.calls} calls", flush=True)
            if chance.random() < 0.2:  # and once more, while it is still starting
                cloud.spawn()
                time.sleep(chance.uniform(0, 1.5))
                cloud.kill()
        cloud.start()
        life.check()
        life.check_serving()
        life.check_instances()
        cloud.stop()
    finally:
        if cloud.process is not None and cloud.process.poll() is None:
            cloud.kill()
    print(f"{POINTS} kills, {life.calls} steps, slowest start {slowest:.2f} s")
    assert life.calls > POINTS
