"""The status of a deployment as a function of the facts."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bento_jupyter.cloud.failures import BACK_OFF, GIVE_UP_AFTER, HEALTHY_AFTER, Failures
from bento_jupyter.cloud.health import Facts, judge
from bento_jupyter.spec import READY_STATUSES, Status

counts = st.integers(0, 3)
facts = st.builds(
    Facts,
    terminated=st.booleans(),
    present=counts,
    ready=counts,
    starting=counts,
    old_ready=counts,
    wanted=counts,
    image=st.sampled_from(["pending", "building", "success", "failed"]),
    image_reason=st.sampled_from(["", "no such package"]),
    given_up=st.sampled_from(["", "it does not start"]),
    failures=counts,
    last_failure=st.sampled_from(["", "code 1"]),
    was_ready=st.booleans(),
    listening=st.booleans(),
    port_error=st.sampled_from(["", "port 1 is taken"]),
    waits_for=st.sampled_from(["", "it waits for a GPU"]),
)


@given(facts)
def test_what_an_instance_waits_for_is_told_while_none_is_ready(given_facts: Facts) -> None:
    waiting = replace(given_facts, waits_for="it waits for a GPU", failures=0)
    told = judge(waiting)
    on_the_way = told.status in (Status.DEPLOYING, Status.SCALED_TO_ZERO)
    starts = waiting.starting or waiting.wanted
    if on_the_way and starts and waiting.listening and not waiting.was_ready:
        assert "it waits for a GPU" in told.reason


@given(facts)
def test_running_means_that_an_instance_is_ready(given_facts: Facts) -> None:
    if judge(given_facts).status is Status.RUNNING:
        assert given_facts.ready


@given(facts)
def test_who_is_refused_is_not_told_that_all_is_well(given_facts: Facts) -> None:
    verdict = judge(given_facts)
    assert not (verdict.closed and verdict.healthy)
    if verdict.closed:
        assert verdict.status in (
            Status.TERMINATED,
            Status.TERMINATING,
            Status.FAILED,
            Status.IMAGE_BUILD_FAILED,
        )


@given(facts)
def test_ready_statuses_are_healthy(given_facts: Facts) -> None:
    verdict = judge(given_facts)
    if verdict.status in READY_STATUSES:
        assert verdict.healthy


@given(facts)
def test_nobody_is_called_ready_before_the_port_is_open(given_facts: Facts) -> None:
    verdict = judge(replace(given_facts, listening=False))
    assert not verdict.healthy
    assert verdict.status not in READY_STATUSES


@given(facts)
def test_what_went_wrong_is_said(given_facts: Facts) -> None:
    verdict = judge(given_facts)
    if verdict.status in (Status.FAILED, Status.IMAGE_BUILD_FAILED, Status.UNHEALTHY):
        assert verdict.reason


@given(facts)
def test_instances_that_answer_keep_the_deployment_open(given_facts: Facts) -> None:
    answering = replace(given_facts, terminated=False, listening=True, port_error="", old_ready=1)
    verdict = judge(answering)
    assert verdict.healthy
    assert verdict.closed is None


@given(facts)
def test_a_rollout_is_never_called_unhealthy(given_facts: Facts) -> None:
    fresh = replace(given_facts, was_ready=False, port_error="", terminated=False)
    assert judge(fresh).status is not Status.UNHEALTHY


@given(facts)
def test_terminated_is_terminating_while_instances_are_left(given_facts: Facts) -> None:
    status = judge(replace(given_facts, terminated=True)).status
    assert status is (Status.TERMINATING if given_facts.present else Status.TERMINATED)


def test_a_blueprint_that_never_was_ready_is_given_up_after_three_failures() -> None:
    failures = Failures()
    for number in range(GIVE_UP_AFTER):
        assert not failures.given_up
        failures.add("code 1", float(number), None)
    assert "code 1" in failures.given_up
    failures.try_again()
    assert not failures.given_up


@given(st.integers(1, 20))
def test_one_that_was_ready_is_tried_for_ever_with_growing_pauses(number: int) -> None:
    failures = Failures()
    failures.is_ready(0.0, 0.0)
    pauses = []
    for _ in range(number):
        failures.add("code 1", 100.0, None)
        pauses.append(failures.not_before - 100.0)
    assert not failures.given_up
    assert pauses == sorted(pauses)
    assert pauses[0] == 0
    assert pauses[-1] <= BACK_OFF[-1]


def test_a_healthy_time_makes_failures_forgotten() -> None:
    failures = Failures()
    failures.add("code 1", 0.0, None)
    assert failures.is_ready(1.0, 1.0) == 1.0 + HEALTHY_AFTER
    assert failures.is_ready(1.0 + HEALTHY_AFTER, 1.0) is None
    assert failures.count == 0
