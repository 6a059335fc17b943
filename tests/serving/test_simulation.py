"""What holds of controller, autoscaler and queue together, whatever comes when: under a simulated clock."""

from __future__ import annotations

import math
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulation import SimulatedLoop, Simulation, simulated

from bento_jupyter.spec import Status

#: How much is tried: `make simulate` tries much more.
TRACES = int(os.environ.get("BENTO_TRACES", "60"))
SCHEDULES = int(os.environ.get("BENTO_SCHEDULES", "300"))
#: Seconds between two reports of the gateway about its load, at most.
REPORT = 0.05


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Bento's folder, as far as the controller reads it."""
    folder = tmp_path_factory.mktemp("bento")
    (folder / "bento.yaml").write_text("{spec: 2, image: {python_requirements: '', python_version: '3.11'}}")
    return folder


@pytest.fixture
def loop() -> Iterator[SimulatedLoop]:
    with simulated() as loop:
        yield loop


def scaling(least: int, most: int, idle: float = 60, up: float = 0) -> dict[str, Any]:
    policy = {"scale_down_stabilization_window": idle, "scale_up_stabilization_window": up}
    return {"min_replicas": least, "max_replicas": most, "policy": policy}


def all_answered(simulation: Simulation) -> bool:
    return all(each.answered_at is not None for each in simulation.callers)


#: Times between what happens, in seconds: at once, within a message's way, within a start, an idle window.
pauses = st.sampled_from([0.0, 0.001, 0.06, 0.7, 9.99, 10.0, 10.01, 40.0])
happenings = st.one_of(
    st.tuples(st.just("ask"), st.integers(1, 12), st.sampled_from([0.0, 0.02, 1.0, 45.0])),
    st.tuples(st.just("kill")),
    st.tuples(st.just("update"), st.sampled_from(["red", "blue"])),
    st.tuples(st.just("scale"), st.integers(0, 3), st.integers(1, 5)),
)
traces = st.lists(st.tuples(pauses, happenings), min_size=1, max_size=25)


@settings(max_examples=TRACES, deadline=None)
@given(
    traces,
    st.integers(0, 2),
    st.integers(1, 4),
    st.none() | st.integers(1, 4),
    st.sampled_from([0.0, 10.0]),
    st.sampled_from([0.0, 2.0]),
    st.sampled_from(["RollingUpdate", "Recreate", "RampedSlowRollout", "BestEffortControlledRollout"]),
    st.sampled_from([0.0, 0.3]),
    st.integers(0, 999).map(random.Random),
)
def test_whatever_happens_each_request_is_answered_and_all_comes_to_rest(
    folder: Path,
    trace: list[tuple[float, Any]],
    least: int,
    more: int,
    concurrency: int | None,
    idle: float,
    up: float,
    strategy: str,
    failing: float,
    chance: random.Random,
) -> None:
    with simulated() as loop:
        simulation = Simulation(
            loop,
            folder,
            chance,
            scaling(least, max(1, least + more), idle, up),
            {"concurrency": concurrency, "timeout": 60},
            strategy=strategy,
            failing_starts=failing,
        )
        now, largest = 0.0, simulation.scaling["max_replicas"]
        for pause, (kind, *how) in trace:
            now += pause
            if kind == "ask":
                count, seconds = how
                for _ in range(count):
                    simulation.at(now, lambda seconds=seconds: simulation.ask(seconds))
            elif kind == "kill":
                simulation.at(now, simulation.kill)
            elif kind == "update":
                simulation.at(now, lambda colour=how[0]: simulation.update(colour))
            else:
                least, more = how
                bounds = {"min_replicas": least, "max_replicas": max(least, more)}
                largest = max(largest, bounds["max_replicas"])
                simulation.at(now, lambda bounds=bounds: simulation.update(**bounds))
        simulation.run()
        assert [each.refusal for each in simulation.callers if each.refusal] == []
        assert all_answered(simulation)
        assert simulation.admitted == sorted(simulation.admitted), "somebody was passed over"
        assert [each.spec.id for each in simulation.engine.replicas.values() if each.stopped_with] == []
        # At rest: as many as there should be, and nothing more to do, which `run` has waited for.
        wanted = simulation.scaling["min_replicas"]
        at_rest = simulation.at_rest
        assert at_rest.ready == wanted == simulation.up_at_rest
        assert at_rest.status is (Status.RUNNING if wanted else Status.SCALED_TO_ZERO)
        assert (at_rest.in_flight, at_rest.queued) == (0, 0)
        assert simulation.most_up <= largest + math.ceil(largest / 4)
        kinds = {kind for _, (kind, *_) in trace}
        if not kinds & {"update", "scale"}:
            assert simulation.most_up <= largest
            if "kill" not in kinds:
                assert simulation.fewest_up >= wanted


def test_requests_in_the_moment_when_the_idle_window_ends(folder: Path) -> None:
    """As exactly as the ways of messages, reports of the load and starts are long."""
    for seed in range(SCHEDULES):
        with simulated() as loop:
            play_idle_windows(loop, folder, random.Random(seed), f"schedule {seed}")


def play_idle_windows(loop: SimulatedLoop, folder: Path, chance: random.Random, which: str) -> None:
    idle, now = 10.0, 0.0
    simulation = Simulation(
        loop, folder, chance, scaling(0, 2, idle), {"concurrency": chance.choice([None, 1, 2])}
    )
    for _ in range(6):
        seconds = chance.choice([0.0, 0.05, 0.5])
        for _ in range(chance.choice([1, 1, 3])):
            simulation.at(now, lambda seconds=seconds: simulation.ask(seconds))
        now += seconds + idle + chance.choice([0.0, 0.05, 0.5, 3.0]) + chance.uniform(-0.1, 0.1)
    simulation.run()
    assert all_answered(simulation), which
    assert {each.tries for each in simulation.callers} == {1}, which
    assert simulation.admitted == sorted(simulation.admitted), which
    assert simulation.at_rest.status is Status.SCALED_TO_ZERO, which
    # Ended when it was due: the window begins when the control plane has heard of the last answer.
    ended = max(each.stopped_at for each in simulation.engine.replicas.values())
    due = max(each.answered_at or 0 for each in simulation.callers) + idle
    assert due <= ended <= due + REPORT + 3 * max(simulation.delays) + 0.001, which


@pytest.mark.parametrize("strategy", ["RollingUpdate", "RampedSlowRollout", "BestEffortControlledRollout"])
def test_a_request_may_take_its_whole_time_while_its_instance_is_replaced(
    folder: Path, loop: SimulatedLoop, strategy: str
) -> None:
    simulation = Simulation(
        loop, folder, random.Random(1), scaling(1, 1), {"timeout": 120}, strategy=strategy
    )
    simulation.at(0, lambda: simulation.ask(110))
    simulation.at(1, lambda: simulation.update("red"))
    simulation.at(2, lambda: simulation.ask(1))
    simulation.run()
    long, other = simulation.callers
    assert (long.tries, other.tries) == (1, 1)
    assert long.answered_at == pytest.approx(simulation.begin + 110)


def test_a_deployment_follows_a_step_of_its_load_up_and_down(folder: Path, loop: SimulatedLoop) -> None:
    simulation = Simulation(
        loop, folder, random.Random(1), scaling(1, 4, 10), {"concurrency": 1}, start_seconds=(0.1,)
    )
    for eighth in range(160):
        for _ in range(4):
            simulation.at(eighth / 8, lambda: simulation.ask(0.1))
    for second in range(20, 60):
        simulation.at(second, lambda: simulation.ask(0.1))
    simulation.at(15, lambda: seen.append(len(simulation.engine.up)))
    simulation.at(45, lambda: seen.append(len(simulation.engine.up)))
    seen: list[int] = []
    simulation.run()
    assert all_answered(simulation)
    assert seen == [4, 1]
    # Once all four are there, nobody waits any more.
    late = [each for each in simulation.callers if each.arrived > simulation.begin + 5]
    assert max((each.answered_at or 0) - each.arrived for each in late) < 0.15


def test_without_concurrency_there_are_as_many_as_the_cpu_needs(folder: Path, loop: SimulatedLoop) -> None:
    simulation = Simulation(
        loop, folder, random.Random(1), scaling(0, 5, 10), {}, start_seconds=(0.1,), cpu_per_request=0.3
    )
    seen: list[int] = []
    for tenth in range(600):
        for _ in range(8 if tenth < 400 else 1):
            simulation.at(tenth / 10, lambda: simulation.ask(0.099))
    for second in (2, 20, 30, 39, 58):
        simulation.at(second + 0.05, lambda: seen.append(len(simulation.engine.up)))
    simulation.run()
    assert all_answered(simulation)
    # 8 x 0.3 CPUs at 80 % each are three instances; the start of the first one is no reason for a second.
    assert seen == [1, 3, 3, 3, 1]
    assert simulation.up_at_rest == 0


def test_requests_that_only_wait_are_no_reason_for_another_instance(
    folder: Path, loop: SimulatedLoop
) -> None:
    simulation = Simulation(loop, folder, random.Random(1), scaling(0, 5, 10), {}, cpu_per_request=0.001)
    for second in range(60):
        for _ in range(50):
            simulation.at(second, lambda: simulation.ask(0.9))
    simulation.run()
    assert all_answered(simulation)
    assert simulation.most_up == 1
