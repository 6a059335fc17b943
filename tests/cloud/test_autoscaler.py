"""The autoscaler's algebra."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from bento_jupyter.cloud.autoscaler import (
    CPU_TARGET,
    CPU_TOLERANCE,
    Decision,
    History,
    Observation,
    Policy,
    decide,
    needed,
    needed_for_cpu,
)
from bento_jupyter.cloud.utilisation import Utilisation

loads = st.integers(0, 60)
policies = st.builds(
    lambda least, more, concurrency, idle, up: Policy(least, max(1, least + more), concurrency, idle, up),
    st.integers(0, 4),
    st.integers(0, 8),
    st.none() | st.integers(1, 5),
    st.sampled_from([0.0, 10.0, 60.0]),
    st.sampled_from([0.0, 5.0]),
)
#: Times between observations, and the load then.
courses = st.lists(st.tuples(st.sampled_from([0.0, 0.5, 3.0, 20.0]), loads, loads), min_size=1, max_size=25)

Step = tuple[Observation, Decision]


def play(course: list[tuple[float, int, int]], policy: Policy) -> list[Step]:
    now, steps, history, wanted = 0.0, [], History(), 0
    for pause, in_flight, waiting in course:
        now += pause
        observation = Observation(now, in_flight, waiting)
        decision = decide(history, observation, policy, wanted)
        history, wanted = decision.history, decision.wanted
        steps.append((observation, decision))
    return steps


def needs_within(steps: list[Step], policy: Policy, window: float) -> list[int]:
    """What was needed at any time of the window that ends with the last step."""
    now = steps[-1][0].at
    # A need holds from its observation to the next one.
    ends = [*(step[0].at for step in steps[1:]), math.inf]
    return [needed(step[0], policy) for step, end in zip(steps, ends, strict=True) if end > now - window]


@given(courses, policies)
def test_it_stays_within_the_limits(course: list[tuple[float, int, int]], policy: Policy) -> None:
    assert all(policy.min <= decision.wanted <= policy.max for _, decision in play(course, policy))


@given(courses, policies)
def test_never_more_than_was_needed_in_the_idle_window(
    course: list[tuple[float, int, int]], policy: Policy
) -> None:
    steps = play(course, policy)
    most = max(needs_within(steps, policy, policy.idle_seconds))
    assert steps[-1][1].wanted <= max(policy.min, most)


@given(courses, policies)
def test_without_a_scale_up_window_never_fewer_than_are_needed(
    course: list[tuple[float, int, int]], policy: Policy
) -> None:
    at_once = Policy(policy.min, policy.max, policy.concurrency, policy.idle_seconds)
    for observation, decision in play(course, at_once):
        assert decision.wanted >= min(policy.max, needed(observation, at_once))


@given(courses, policies)
def test_what_is_needed_throughout_the_scale_up_window_is_there(
    course: list[tuple[float, int, int]], policy: Policy
) -> None:
    steps = play(course, policy)
    if steps[0][0].at > steps[-1][0].at - policy.scale_up_seconds:
        return  # before the first observation nothing was needed
    least = min(needs_within(steps, policy, policy.scale_up_seconds))
    assert steps[-1][1].wanted >= min(policy.max, least)


@given(courses, policies)
def test_the_first_instance_never_waits(course: list[tuple[float, int, int]], policy: Policy) -> None:
    for observation, decision in play(course, policy):
        if observation.in_flight + observation.waiting:
            assert decision.wanted >= 1


@given(courses, policies)
def test_zero_only_when_allowed_and_without_load(
    course: list[tuple[float, int, int]], policy: Policy
) -> None:
    for observation, decision in play(course, policy):
        if decision.wanted == 0:
            assert policy.min == 0
            assert observation.in_flight + observation.waiting == 0


@given(courses, policies)
def test_one_that_was_needed_stays_for_the_idle_time_and_no_longer(
    course: list[tuple[float, int, int]], policy: Policy
) -> None:
    steps = play([*course, (0.5, 1, 0), (0.5, 0, 0)], policy)
    observation, decision = steps[-1]
    if policy.idle_seconds:
        assert decision.wanted >= 1
    times = set()
    while decision.again_at is not None:
        assert decision.again_at > observation.at
        observation = Observation(decision.again_at)
        decision = decide(decision.history, observation, policy, decision.wanted)
        times.add(observation.at)
    assert decision.wanted == policy.min
    end = steps[-1][0].at
    assert max(times, default=end) <= end + max(policy.idle_seconds, policy.scale_up_seconds)


@given(courses, policies, loads)
def test_more_load_never_means_fewer(course: list[tuple[float, int, int]], policy: Policy, more: int) -> None:
    heavier = [(pause, in_flight, waiting + more) for pause, in_flight, waiting in course]
    for (_, light), (_, heavy) in zip(play(course, policy), play(heavier, policy), strict=True):
        assert heavy.wanted >= light.wanted


@given(loads, loads, st.integers(1, 10))
def test_needed_is_the_load_over_the_concurrency(in_flight: int, waiting: int, concurrency: int) -> None:
    policy = Policy(0, 1000, concurrency, 60)
    instances = needed(Observation(0, in_flight, waiting), policy)
    assert (instances - 1) * concurrency < in_flight + waiting <= instances * concurrency or (
        instances == in_flight + waiting == 0
    )


cpus = st.floats(0, 50)


@given(cpus, st.integers(1, 40))
def test_as_many_as_bring_the_cpu_near_to_its_target(cpu: float, ready: int) -> None:
    instances = needed_for_cpu(Observation(0, cpu=cpu, ready=ready))
    if instances == 0:
        assert cpu <= CPU_TARGET * (1 + CPU_TOLERANCE)
    else:
        assert instances > 1
        assert cpu / instances <= CPU_TARGET * (1 + CPU_TOLERANCE) * 1.0001
        assert instances == ready or cpu / (instances - 1) > CPU_TARGET * 0.9999


@given(cpus, st.integers(1, 10))
def test_by_cpu_it_comes_to_rest_when_the_work_stays(work: float, ready: int) -> None:
    seen = [ready]
    for _ in range(100):
        used = min(work, seen[-1])  # none uses more than it has
        seen.append(max(1, needed_for_cpu(Observation(0, in_flight=1, cpu=used, ready=seen[-1]))))
    assert seen[-1] == seen[-2]
    assert work / seen[-1] <= CPU_TARGET * (1 + CPU_TOLERANCE) * 1.0001


@given(cpus, loads, st.integers(0, 10))
def test_cpu_does_not_count_where_there_is_a_concurrency(cpu: float, load: int, ready: int) -> None:
    policy = Policy(0, 100, 5, 60)
    assert needed(Observation(0, load, cpu=cpu, ready=ready), policy) == needed(Observation(0, load), policy)


def test_cpu_alone_keeps_no_instance() -> None:
    assert needed(Observation(0, cpu=0.7, ready=1), Policy(0, 5, None, 60)) == 0


def test_what_instances_do_without_requests_is_not_looked_at() -> None:
    cpu = Utilisation()
    assert cpu.look(0.0, 0, busy=False, measure=lambda: 9.0) is None
    assert cpu.value == 0
    again_at = cpu.look(5.0, 1, busy=False, measure=lambda: 1.0)  # one came and went since
    assert again_at is not None
    value = cpu.value
    assert value > 0
    assert cpu.look(5.1, 50, busy=True, measure=lambda: 99.0) == again_at
    assert cpu.value == value, "not looked at again before its time"
    times = 0
    now: float | None = again_at
    last = 50
    while now is not None:
        now = cpu.look(now, last, busy=False, measure=lambda: 1.0)
        times += 1
    assert 3 < times < 30
    assert cpu.value == 0


def test_without_concurrency_one_instance_serves_any_load() -> None:
    policy = Policy(0, 5, None, 60)
    assert decide(History(), Observation(0, waiting=1000), policy, 0).wanted == 1
