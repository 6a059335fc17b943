"""GPUs: which are found, and that each has one owner at a time."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bento_jupyter.cloud.engines.gpus import Gpu, Gpus, find_gpus

LISTED = """0, GPU-11111111-aaaa, NVIDIA L4
1, GPU-22222222-bbbb, NVIDIA L4
2, GPU-33333333-cccc, NVIDIA L4, liquid cooled
"""


@pytest.fixture
def driver(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """Puts an `nvidia-smi` into a PATH that does and says what it is told."""

    def install(script: str) -> dict[str, str]:
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}

    return install


@pytest.fixture
def listing(driver: Callable[[str], dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    environment = driver(f"cat <<'END'\n{LISTED}END")
    monkeypatch.setenv("PATH", environment["PATH"])
    return environment


def test_the_driver_says_which_there_are(listing: dict[str, str]) -> None:
    found = find_gpus(listing)
    assert [gpu.id for gpu in found] == ["GPU-11111111-aaaa", "GPU-22222222-bbbb", "GPU-33333333-cccc"]
    assert {gpu.model for gpu in found} == {"NVIDIA L4", "NVIDIA L4, liquid cooled"}


@pytest.mark.parametrize(
    ("visible", "numbers"),
    [("1", "2"), ("2,0", "31"), ("GPU-2222", "2"), ("", ""), ("-1", ""), ("0,9,1", "1"), (" 0 , 1 ", "12")],
)
def test_only_those_that_the_cloud_itself_may_see_are_there(
    listing: dict[str, str], visible: str, numbers: str
) -> None:
    found = find_gpus({**listing, "CUDA_VISIBLE_DEVICES": visible})
    assert [gpu.id[4] for gpu in found] == list(numbers)


def test_a_machine_without_driver_or_with_a_broken_one_has_none(
    driver: Callable[[str], dict[str, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert find_gpus({}) == []
    for script in ("echo no devices were found; exit 6", "echo nonsense", ""):
        environment = driver(script)
        monkeypatch.setenv("PATH", environment["PATH"])
        assert find_gpus(environment) == []


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 4), st.booleans()), max_size=60))
def test_each_has_one_owner_and_nobody_who_waits_is_passed(steps: list[tuple[int, int, bool]]) -> None:
    gpus = Gpus([Gpu(f"GPU-{number}", "X") for number in range(4)])
    has: dict[str, tuple[str, ...]] = {}
    waits: dict[str, int] = {}
    for number, count, asks in steps:
        name = str(number)
        if asks and name not in has and name not in waits:
            given_now = gpus.ask(name, count)
            free = 4 - sum(map(len, has.values()))
            assert (given_now is not None) == (not waits and count <= free)
            if given_now is None:
                waits[name] = count
            else:
                has[name] = given_now
        elif not asks:
            has.pop(name, None)
            waits.pop(name, None)
            for served, its in gpus.give_back(name).items():
                assert served == next(iter(waits)), "out of turn"
                assert len(its) == waits.pop(served)
                has[served] = its
        held = [gpu for its in has.values() for gpu in its]
        assert len(held) == len(set(held))
        assert set(gpus.free) == {gpu.id for gpu in gpus.every} - set(held)
        if waits:
            assert next(iter(waits.values())) > len(gpus.free), "the first one could go on"
        assert all(gpus.of(name) == its for name, its in has.items())
